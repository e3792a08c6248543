"""`python -m workbench`: the command line, where the `workbench` command is not on the PATH."""

from workbench.cli import main

if __name__ == "__main__":
    main()
