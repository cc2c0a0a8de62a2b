"""Messages by e-mail. Without a mail server set up, the page 消息投递 is where they can be read."""

from __future__ import annotations

import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from flask import current_app

from models.notifications.channels import LOCAL, Letter, NotAccepted, Sent, provide
from models.notifications.tables import NoticeChannel

TIMEOUT = 15.0  # seconds for each answer of the server
_LOCALHOST = ("localhost", "127.0.0.1", "::1")


class MailSender:
    """Hands messages to the server of ``SMTP_URL``."""

    def send(self, letter: Letter, number: int, now: datetime) -> Sent:
        """The same delivery has the same Message-ID, by which a repetition can be told."""
        url = current_app.config.get("SMTP_URL", "")
        if not url:
            return Sent(f"{LOCAL}-{number}")
        message = compose(letter, number, current_app.config["MAIL_FROM"])
        try:
            with _server(url) as server:
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            if all(code >= 500 for code in codes):
                raise NotAccepted(f"邮件服务器拒收此地址（{codes[0]}）") from refused
            raise
        return Sent(str(message["Message-ID"])[:64])


def compose(letter: Letter, number: int, sender: str) -> EmailMessage:
    """The message as it is sent: plain text, in one part."""
    message = EmailMessage()
    message["From"], message["To"] = sender, letter.address
    message["Subject"] = " ".join(letter.title.split())
    message["Message-ID"] = f"<notice-{number}@{sender.rpartition('@')[2].strip('> ')}>"
    message["Auto-Submitted"] = "auto-generated"
    parts = [f"{letter.name}，您好：", letter.title, letter.text, letter.url]
    message.set_content("\n\n".join(p for p in parts if p), cte="base64")  # any server takes it
    return message


def _server(url: str) -> smtplib.SMTP:
    """A session with the server; passwords travel encrypted or not at all."""
    parts = urlsplit(url)
    host = parts.hostname or "localhost"
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif parts.username and host not in _LOCALHOST:
            server.close()
            raise smtplib.SMTPException("邮件服务器不支持加密，未发送密码")
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


provide(NoticeChannel.EMAIL, MailSender())
