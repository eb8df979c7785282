"""`python -m metier`: the command line, for programs that start Python modules (`torchrun -m metier train ...`)."""

from metier.cli.app import main

if __name__ == "__main__":
    main()
