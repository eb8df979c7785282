"""What Alembic runs: each migration inside the caller's transaction, on the caller's connection."""

from alembic import context

if __name__ == "env_py":  # the name under which Alembic runs this file
    context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
