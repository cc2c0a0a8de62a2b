"""The commands of run.py. Every command is thin: it reads its options and calls the one who knows."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import config
from app import failures, spec_coverage

if TYPE_CHECKING:
    from flask import Flask

DEMO_CUSTOMERS = 2_000
DATABASE_WITHIN = 60.0  # seconds a database server that is starting with us may take


class ChineseUsage(click.Group):
    """A command group that explains wrong use in Chinese."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; wrong use and expected failures end with one clear sentence and a non-zero status."""
        kwargs["standalone_mode"] = False
        try:
            return super().main(*args, **kwargs)
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.ctx.get_help() if error.ctx else "")
            sys.exit(0)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "run.py"
            click.echo(f"{explain(error)}\n用法见：python {where} --help", err=True)
            sys.exit(2)
        except (click.ClickException, config.BadSetting) as error:
            click.echo(error.format_message() if isinstance(error, click.ClickException) else error, err=True)
            sys.exit(1)
        except (click.Abort, KeyboardInterrupt):
            click.echo("已取消", err=True)
            sys.exit(1)
        except BrokenPipeError:  # nobody reads any more
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except Exception as error:
            words = failures.in_words(error)
            if not words:
                raise
            click.echo(words, err=True)
            sys.exit(1)


def explain(error: click.UsageError) -> str:
    """The Chinese sentence for one kind of wrong use."""
    if isinstance(error, click.NoSuchOption):
        hint = f"，是否想用 {'、'.join(error.possibilities)}？" if error.possibilities else ""
        return f"没有选项 {error.option_name}{hint}"
    if isinstance(error, click.MissingParameter):
        named = isinstance(error.param, click.Option)
        name = error.param.opts[0] if named else error.param.human_readable_name if error.param else ""
        return f"缺少参数 {name}"
    if isinstance(error, click.BadParameter):
        name = error.param.opts[0] if error.param else ""
        return f"参数 {name} 的值不正确：{error.message}"
    if isinstance(error, click.BadOptionUsage):
        return f"选项 {error.option_name} 的用法不正确：缺少值或多给了值"
    text = error.message
    if text.startswith("No such command"):
        return f"没有命令{text.removeprefix('No such command').rstrip('.')}"
    if text.startswith("Got unexpected extra"):
        return "多余的参数：" + text.partition("(")[2].rstrip(").")
    return text


class WholeNumber(click.ParamType):
    """A whole number within bounds, refused in Chinese."""

    name = "整数"

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; fails with a sentence."""
        if isinstance(value, int):
            return value
        if not value.isascii() or not value.isdigit() or not self.low <= int(value) <= self.high:
            self.fail(f"应为 {self.low} 到 {self.high} 之间的整数，而不是“{value}”", param, ctx)
        return int(value)


def _app(**overrides: Any) -> Flask:
    from app.factory import create_app

    return create_app({**config.settings(), **overrides})


def _in_app(work: Callable[[Flask], Any], *states: str, patience: float = 0.0, **overrides: Any) -> Any:
    """Do it with the application, on a database whose tables are this program's or in one of ``states``."""
    from app import schema
    from app.engine.actions import Refusal
    from app.engine.database import db

    app = _app(**overrides)
    with app.app_context():
        try:
            if patience:
                schema.wait(db.engine, patience, click.echo)
            schema.require(db.engine, *(schema.State(state) for state in states))
            return work(app)
        except Refusal as reason:
            raise click.ClickException(reason.message) from None


def _check_schema(url: str) -> None:
    """The same question without the application, which the web server makes itself."""
    from sqlalchemy import create_engine

    from app import schema
    from app.engine.actions import Refusal

    engine = create_engine(url)
    try:
        schema.require(engine)
    except Refusal as reason:
        raise click.ClickException(reason.message) from None
    finally:
        engine.dispose()


_UNPREPARED = ("empty", "behind")


def _initialise(app: Flask) -> None:
    from app.setup import initialise

    initialise(app)


@click.group(
    cls=ChineseUsage,
    invoke_without_command=True,
    help="知客。不带命令时等同于 serve：启动网页、任务与时钟。",
)
@click.pass_context
def cli(context: click.Context) -> None:
    """Without a command: serve."""
    if context.invoked_subcommand is None:
        context.invoke(serve)


@cli.command(help="启动全部：内置 Redis（除非设置 REDIS_URL）、初始化、网页、任务、时钟。")
def serve() -> None:
    """Run everything as one supervised tree."""
    from app.supervisor import serve as run_tree

    sys.exit(run_tree(config.settings(), os.environ))


@cli.command(help="只启动网页。")
def web() -> None:
    """Run the web server alone."""
    from app.web import run

    settings = config.settings()
    _check_schema(settings["SQLALCHEMY_DATABASE_URI"])
    run(settings)


@cli.command(help="只启动任务进程。")
@click.option("--burst", is_flag=True, help="处理完现有任务后退出")
@click.option(
    "--lane",
    type=click.Choice(("quick", "long", "all")),
    default="all",
    show_default=True,
    help="quick 只处理消息等短任务，long 优先处理导入导出，all 两者都处理",
)
def worker(burst: bool, lane: str) -> None:
    """Run one worker."""
    settings = config.settings()
    if not settings["REDIS_URL"]:
        raise click.ClickException("任务进程需要 Redis：请设置 REDIS_URL，或先用 python run.py serve 启动")
    from app.engine.queue import QueueDown
    from jobs.worker import work

    try:
        _in_app(lambda app: work(app, burst=burst, lane=lane))
    except QueueDown as error:
        raise click.ClickException(f"无法连接 Redis：{error}") from None


@cli.command(help="只启动时钟。可以启动多个，每个时点只执行一次。")
def clock() -> None:
    """Run one clock."""
    from jobs.schedule import run

    _in_app(run)


@cli.command(help="建立或升级数据库，同步权限与预置数据；可以反复执行。")
@click.option("--part-of-serve", is_flag=True, hidden=True)
def init(part_of_serve: bool) -> None:
    """Migrations, permissions, presets; idempotent. As a part of `serve` also the first demo data."""
    settings = config.settings()

    def work(app: Flask) -> None:
        _initialise(app)
        if part_of_serve and settings["DEMO"] and not _has_customers():
            from models import demo as demo_data

            demo_data.build(app, customers=DEMO_CUSTOMERS, echo=click.echo)

    _in_app(work, *_UNPREPARED, patience=DATABASE_WITHIN if part_of_serve else 0)
    if not part_of_serve:
        click.echo("初始化完成")
        for line in [*config.logins({**settings, "DEMO": False}, os.environ), *config.warnings(os.environ)]:
            click.echo(line)


def _has_customers() -> bool:
    from sqlalchemy import select

    from app.engine.database import db
    from models.customers.tables import Customer

    return db.session.execute(select(Customer.id).limit(1)).first() is not None


@cli.command(help="生成演示数据，同样的数目总是得到同样的数据。")
@click.option(
    "--customers",
    type=WholeNumber(1, 5_000_000),
    default=DEMO_CUSTOMERS,
    metavar="N",
    help="客户数，默认 2000",
)
@click.option(
    "--registrations",
    type=WholeNumber(0, 5_000_000),
    metavar="N",
    help="报备数，默认客户数的五分之一；已有客户而没有报备时只补报备",
)
def demo(customers: int, registrations: int | None) -> None:
    """Reproducible demo data."""

    def work(app: Flask) -> None:
        from models import demo as demo_data

        _initialise(app)
        if not demo_data.build(app, customers, registrations, echo=click.echo):
            raise click.ClickException("如需另一份演示数据，请另设 DATA_DIR 或 DATABASE_URL 后再运行")

    _in_app(work, *_UNPREPARED)


@cli.group(cls=ChineseUsage, help="账号。")
def user() -> None:
    """Accounts."""


@user.command("add", help="新建账号。")
@click.argument("username", metavar="账号")
@click.option("--name", required=True, metavar="姓名", help="姓名")
@click.option("--role", "roles", multiple=True, required=True, metavar="角色", help="角色，可多次给出")
@click.option("--store", metavar="门店编码", help="所属门店的编码")
@click.option("--password", metavar="密码", help="不给出时随机生成并显示一次")
def add_user(
    username: str, name: str, roles: tuple[str, ...], store: str | None, password: str | None
) -> None:
    """One account with its roles and store."""
    chosen = password or config.new_password()

    def work(app: Flask) -> None:
        from app.setup import add_user as add

        add(username=username, name=name, roles=roles, store=store, password=chosen)

    _in_app(work)
    click.echo(f"已新建账号 {username}" + ("" if password else f"，密码 {chosen}"))


@cli.command(help="从 CSV 文件导入客户，表头与建档表单一致。")
@click.argument("path", type=click.Path(path_type=Path), metavar="文件.csv")
@click.option("--as", "username", default="admin", metavar="账号", help="以谁的身份导入，默认 admin")
@click.option("--from", "since", type=WholeNumber(1, 10**9), default=1, metavar="行号", help="从这一行开始")
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="文件.csv",
    help="未导入的行写到这里，默认写在原文件旁边",
)
def load(path: Path, username: str, since: int, report: Path | None) -> None:
    """Customers of a dealer's own file, through the same checks as the form."""
    if not path.is_file():
        raise click.ClickException(f"找不到文件 {path}")

    def work(app: Flask) -> Any:
        from app.setup import actor_of
        from models.customers.load import load_file

        with _told_to_stop() as told:
            return load_file(
                path, actor_of(username), since=since, echo=click.echo, stopping=lambda: bool(told)
            )

    done = _in_app(work)
    if done.stopped_at:
        again = f"可再次运行同一文件，加 --from {done.stopped_at} 即从该行继续"
        click.echo(f"已导入 {done.created} 行，停在第 {done.stopped_at} 行，{again}")
    click.echo(f"共 {done.total} 行，导入 {done.created} 行，未导入 {len(done.refused)} 行")
    if done.refused:
        _write_refused(done, path, report)
    if done.broken is not None:
        raise done.broken
    sys.exit(1 if done.refused or done.stopped_at else 0)


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """The signals that came; they stop nothing by themselves meanwhile."""
    told: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda which, _: told.append(which)) for number in numbers]
    try:
        yield told
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def _write_refused(done: Any, path: Path, report: Path | None) -> None:
    from models.customers.csvfile import beside

    target = report or beside(path)
    try:
        done.write(target)
    except OSError as error:
        click.echo(f"未能写出未导入的行：{failures.of_file(error)}", err=True)
    else:
        click.echo(f"未导入的行已写入 {target}，更正后可再次导入")


@cli.group("config", cls=ChineseUsage, help="配置文件：字典、参数、角色、规则等，导出、比较、导入。")
def config_file() -> None:
    """The configuration as a file."""


_DEALER = click.option("--dealer", metavar="商场编号", help="哪个商场的配置；不给出则为集团预置")
_AS = click.option("--as", "username", default="admin", metavar="账号", help="以谁的身份，默认 admin")
_KEEP = click.option("--keep", is_flag=True, help="不删除文件中没有的条目")
_FILE = click.argument("path", type=click.Path(path_type=Path), metavar="文件.json")


@config_file.command("export", help="把配置写成可读的文件，不含密码与密钥；不给出文件则打印。")
@click.argument("path", type=click.Path(path_type=Path), metavar="文件.json", required=False)
@_DEALER
@_AS
def config_export(path: Path | None, dealer: str | None, username: str) -> None:
    """The configuration of a dealer or of the group."""
    from app.configfile import export

    text = _in_app(lambda app: export(dealer, username))
    if path is None:
        click.echo(text, nl=False)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"未能写出文件：{failures.of_file(error)}") from None
    click.echo(f"配置已写入 {path}")


@config_file.command("diff", help="比较文件与现有配置；完全相同则以 0 结束，否则以 1 结束。")
@_FILE
@_DEALER
@_AS
@_KEEP
def config_diff(path: Path, dealer: str | None, username: str, keep: bool) -> None:
    """What a file would change, in words."""
    from app.configfile import diff

    lines, amount = _in_app(lambda app: diff(_read_text(path), dealer, username, removes=not keep))
    for line in lines:
        click.echo(line)
    sys.exit(1 if amount else 0)


@config_file.command("import", help="导入配置文件：全部生效，或有一处错误则全部不生效。")
@_FILE
@_DEALER
@_AS
@_KEEP
@click.option("--dry-run", is_flag=True, help="只检查并列出将有的改动")
def config_import(path: Path, dealer: str | None, username: str, keep: bool, dry_run: bool) -> None:
    """Bring a file in, in one transaction."""
    from app.configfile import bring_in

    text = _read_text(path)
    lines, amount = _in_app(lambda app: bring_in(text, dealer, username, removes=not keep, dry=dry_run))
    for line in lines:
        click.echo(line)
    if not amount:
        click.echo("与现有配置完全相同，没有改动")
    else:
        click.echo(f"检查通过，将改动 {amount} 项" if dry_run else f"已导入，{amount} 项配置有改动")


def _read_text(path: Path) -> str:
    if not path.is_file():
        raise click.ClickException(f"找不到文件 {path}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise click.ClickException("不是文本文件（UTF-8）") from None
    except OSError as error:
        raise click.ClickException(f"未能读出文件：{failures.of_file(error)}") from None


_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


@cli.command(context_settings=_PASS_ON, help="测量速度并打印对照表。")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def bench(args: tuple[str, ...]) -> None:
    """The performance table."""
    from benchmarks.run import main as run_benchmarks

    sys.exit(run_benchmarks(list(args)))


@cli.command(context_settings=_PASS_ON, hidden=True)
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def test(args: tuple[str, ...]) -> None:
    """The test suite on one process more than two cores, because some of the tests mostly wait. Modules come in their
    order: the long ones, of few tests, would otherwise be left for the end and run alone."""
    alone = any(a.startswith(("-n", "-p", "--pdb")) or "::" in a for a in args)
    workers = [] if alone else ["-n", "3"]
    how = ["--dist", "loadscope", "--no-loadscope-reorder"]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *workers, *how, *args])


@cli.command(help="检查声明与设置（E1xx 为错误，W1xx 为提醒）。")
def check() -> None:
    """Start-up checks of the declarations."""
    from app.engine.checks import run_checks

    findings = _in_app(lambda app: run_checks(), "empty")  # declarations need no tables
    for finding in findings:
        click.echo(str(finding))
    errors = [finding for finding in findings if finding.code.startswith("E")]
    click.echo("检查通过" if not errors else f"发现 {len(errors)} 个错误")
    sys.exit(1 if errors else 0)


@cli.command(hidden=True)
@click.argument("message")
def migration(message: str) -> None:
    """Write the migration that brings the database to the declared tables."""
    from flask_migrate import revision

    from app.setup import MIGRATIONS, with_migrations

    def write(app: Flask) -> None:
        with_migrations(app)
        revision(directory=MIGRATIONS, message=message, autogenerate=True)

    _in_app(write)


@cli.command("coverage-of-spec", help="按目录列出规格各行是否有通过的测试（取自最近一次测试）。")
@click.option("--json", "as_json", is_flag=True, help="输出 JSON")
def coverage_of_spec(as_json: bool) -> None:
    """Which rows of the five catalogues have a passing test."""
    recorded = config.ROOT / "var" / spec_coverage.RESULTS
    if not recorded.exists():
        click.echo("尚未运行测试，请先运行 make test", err=True)
    results = spec_coverage.load(config.ROOT / "docs" / "spec", recorded)
    if as_json:
        click.echo(json.dumps(results, ensure_ascii=False))
    else:
        click.echo(spec_coverage.report(results))


def main(args: Sequence[str] | None = None) -> None:
    """Entry point of run.py. Whatever a command writes holds secrets or personal data."""
    os.umask(0o077)
    cli.main(args=list(args) if args is not None else None, prog_name="run.py")
