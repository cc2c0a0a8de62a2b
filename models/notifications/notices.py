"""The parts of telling that work by themselves: summaries, senders, the bell."""

from models.notifications import hourly, inbox, mail, robot, telling

__all__ = ["hourly", "inbox", "mail", "robot", "telling"]
