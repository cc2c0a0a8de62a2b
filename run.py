"""The one command: ``python run.py`` serves everything; ``python run.py --help`` lists the rest."""

from app.cli import main

if __name__ == "__main__":
    main()
