"""What a command says when its surroundings fail: one sentence that tells what to look at."""

from __future__ import annotations

import errno
from typing import Any

from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

FULL = "磁盘空间已满，请清理后重试"
_DATABASE: tuple[tuple[str, str], ...] = (  # what drivers say, in the order in which it is looked for
    ("no such table", "数据库尚未初始化或需要升级，请先运行 python run.py init"),
    ("no such column", "数据库需要升级，请先运行 python run.py init"),
    ("UndefinedTable", "数据库尚未初始化或需要升级，请先运行 python run.py init"),
    ("UndefinedColumn", "数据库需要升级，请先运行 python run.py init"),
    (
        "unable to open database file",
        "无法打开数据库文件，请检查 DATA_DIR 或 DATABASE_URL 指向的位置及其权限",
    ),
    ("file is not a database", "DATABASE_URL 指向的文件不是数据库，或已损坏"),
    ("disk image is malformed", "数据库文件已损坏，请从备份恢复"),
    ("readonly database", "数据库是只读的，请检查数据库文件与所在目录的权限"),
    ("read-only transaction", "数据库是只读的，请检查数据库的设置"),
    ("database or disk is full", FULL),
    ("DiskFull", FULL),
    ("No space left", FULL),
    ("disk I/O error", "读写数据库文件出错，请检查磁盘"),
    ("database is locked", "数据库正被占用，请稍后重试"),
    ("authentication failed", "数据库不接受 DATABASE_URL 中的用户名或密码"),
    ("no password supplied", "数据库不接受 DATABASE_URL 中的用户名或密码"),
    ("does not exist", "DATABASE_URL 中的数据库或用户不存在"),
    ("permission denied", "数据库用户没有所需的权限"),
)
_FILES = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EACCES: "没有权限读写 {name}",
    errno.EPERM: "没有权限读写 {name}",
    errno.EROFS: "{name} 所在的磁盘是只读的",
    errno.ENOENT: "找不到 {name}",
    errno.ENOTDIR: "{name} 不是文件夹",
    errno.EEXIST: "{name} 不是文件夹",
    errno.EISDIR: "{name} 是文件夹，不是文件",
    errno.ENAMETOOLONG: "路径 {name} 过长",
}


def in_words(error: BaseException) -> str:
    """The sentence for a failure of files or the database; empty for anything else, which is a fault of
    the program and wants its traceback."""
    if isinstance(error, DBAPIError):
        return _of_database(error)
    if isinstance(error, PoolTimeout):
        return "数据库连接已用尽，请稍后重试"
    if isinstance(error, (ArgumentError, NoSuchModuleError)):
        return "环境变量 DATABASE_URL 的格式不正确"
    if type(error).__module__.startswith("alembic."):
        return "数据库的版本不是本程序所知的版本，请使用同样新的程序"
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return of_file(error)
    return ""


def of_file(error: OSError) -> str:
    """The sentence about the file or folder."""
    words = _FILES.get(error.errno or 0)
    name = error.filename if isinstance(error.filename, str) else ""
    if words is None:
        return f"无法读写 {name or '文件'}：{error.strerror or error}"
    return words.format(name=name or "文件")


def _of_database(error: DBAPIError) -> str:
    original: Any = error.orig
    said = f"{type(original).__name__} {original}"
    found = next((words for sign, words in _DATABASE if sign in said), "")
    if found:
        return found
    if isinstance(error, OperationalError):
        first = (str(original).strip().splitlines() or [""])[0]
        return f"数据库暂时无法连接，请检查它是否已启动以及 DATABASE_URL（{first}）"
    return ""
