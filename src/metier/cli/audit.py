"""`metier audit`: what the tool does to groups of people, to names, and whether its log was tampered with."""

import typer

from metier.cli.audit_bias import bias
from metier.cli.audit_swap import swap
from metier.cli.audit_verify import verify

app = typer.Typer(help="Bias by group, name swaps, and the audit log.", no_args_is_help=True)
app.command()(bias)
app.command()(swap)
app.command()(verify)
