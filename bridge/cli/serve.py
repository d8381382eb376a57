"""``bridge serve`` and ``bridge keys``."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from bridge.cli import files, options
from bridge.cli.exits import Exit, exit_of

F = TypeVar("F", bound=Callable[..., Any])
_MIB = 1 << 20
#: Options whose settings have another name; sizes are given in MiB.
_SETTINGS = {
    "keys": "keys_file",
    "tls_cert": "certificate",
    "tls_key": "private_key",
    "tls_client_ca": "client_authority",
    **{f"max_{kind}": f"{kind}_bytes" for kind in ("json", "hl7", "dicom", "batch", "held")},
}


def _option(*names: str, **about: Any) -> Callable[[F], F]:
    """Return an option that says its default, and that may stand in the environment."""
    return click.option(*names, show_default=bool(about.get("default")), **about)


def _file(*names: str, about: str) -> Callable[[F], F]:
    return _option(*names, default="", metavar="FILE", help=about)


@click.command(
    "serve", short_help="Serve the bridge over HTTP.", context_settings={"auto_envvar_prefix": "BRIDGE_SERVE"}
)
@_option("--host", default="127.0.0.1", help="Address; any other than this machine's own needs keys, tokens or mTLS.")
@_option("--port", type=click.IntRange(1, 65535), default=8080, help="Port.")
@_option("--workers", type=click.IntRange(1, 64), default=1, help="Processes that share the port.")
@_option("--server", type=options.choice("uvicorn", "granian"), default="uvicorn", help="ASGI server.")
@options.table_option
@_file("--keys", about="File of hashed API keys (see bridge keys); it is read again when it changes.")
@_file("--jwt-keys", about="JWKS of an OpenID Connect issuer, read again when it changes; nothing is fetched.")
@_option("--jwt-issuer", default="", metavar="TEXT", help="iss that a token must have.")
@_option("--jwt-audience", default="", metavar="TEXT", help="aud that a token must have.")
@_option(
    "--jwt-scope-prefix", default="", metavar="TEXT", help="What stands before translate, metrics, admin in scope."
)
@_file("--tls-cert", about="Certificate chain for HTTPS.")
@_file("--tls-key", about="Its private key.")
@_file("--tls-client-ca", about="Authorities of callers' certificates: every caller needs one.")
@_file("--audit", about="Append one line a translation: who, when, what, with SHA-256 of input and output, no values.")
@_option(
    "--deliver",
    default="",
    metavar="DIR|URL",
    help="Store the output of a message there, durably, before it is acknowledged with AA.",
)
@_option("--concurrency", type=click.IntRange(1), default=64, help="Documents a worker holds; more get 503.")
@_option("--max-json", type=click.IntRange(1), default=8, metavar="MIB", help="Largest JSON body.")
@_option("--max-hl7", type=click.IntRange(1), default=8, metavar="MIB", help="Largest HL7 v2 body.")
@_option("--max-dicom", type=click.IntRange(1), default=64, metavar="MIB", help="Largest DICOM body.")
@_option("--max-batch", type=click.IntRange(1), default=4096, metavar="MIB", help="Largest batch.")
@_option("--max-held", type=click.IntRange(1), default=256, metavar="MIB", help="Bodies a worker holds.")
@_option("--header-seconds", type=click.FloatRange(0.1), default=10.0, help="Longest time for a request's head.")
@_option("--body-seconds", type=click.FloatRange(0.1), default=15.0, help="Longest time for a body to arrive.")
@_option("--body-rate", type=click.IntRange(0), default=240, help="Fewest bytes a second of a batch's body; 0: any.")
@_option("--translate-seconds", type=click.FloatRange(0.1), default=5.0, help="Longest time for one document.")
@_option("--fallback-charset", default="", metavar="CODEC", help="Codec of HL7 v2 text that declares none.")
@_option("--drain-delay", type=click.FloatRange(0), default=5.0, help="Seconds the port stays open after SIGTERM.")
@_option("--drain-seconds", type=click.FloatRange(0.1), default=25.0, help="Longest wait for what has been begun.")
@click.option("--no-access-log", is_flag=True, help="Log faults only, not every request.")
@click.option("--no-playground", is_flag=True, help="No page for people at /: then no answer is HTML.")
def serve_command(
    *, tables: tuple[str, ...], drain_delay: float, no_access_log: bool, no_playground: bool, **chosen: Any
) -> Exit:
    """Serve the bridge over HTTP until SIGTERM.

    Needs the extra: pip install 'dicom-fhir-hl7-bridge[http]'. Log lines (JSON, without values) go to standard error.
    SIGHUP reads tables and keys again; a faulty table leaves the old ones in force. Every option can be given as an
    environment variable as well: --max-json as BRIDGE_SERVE_MAX_JSON.

    \b
      bridge serve --port 8080 --workers 2
      bridge serve --table our-site.yaml --audit audit.jsonl
      bridge serve --host 0.0.0.0 --keys keys.json --tls-cert chain.pem --tls-key key.pem
    """  # noqa: D301 - \b keeps click from filling the lines
    if importlib.util.find_spec(chosen["server"]) is None:
        what = "granian" if chosen["server"] == "granian" else "'dicom-fhir-hl7-bridge[http]'"
        raise click.UsageError(f"{chosen['server']} is not installed; pip install {what}.")
    from bridge.http import serve  # noqa: PLC0415
    from bridge.http.listening import Listening  # noqa: PLC0415
    from bridge.http.settings import Settings  # noqa: PLC0415
    from bridge.issues import BridgeError  # noqa: PLC0415

    chosen = {_SETTINGS.get(name, name): value for name, value in chosen.items()}
    listening = Listening(**{name: chosen.pop(name) for name in Listening.__slots__})
    chosen |= {name: value * _MIB for name, value in chosen.items() if name.endswith("_bytes")}
    settings = Settings(tables=tables, access_log=not no_access_log, playground=not no_playground, **chosen)
    try:
        serve.prove(settings, listening)
    except serve.Unusable as error:
        raise click.UsageError(f"{error}.") from None
    except BridgeError as error:
        for issue in error.issues:
            click.echo(str(issue), err=True)
        return exit_of(error.issues, options.loaded(()).catalogue)
    return Exit(serve.Supervisor(settings, listening, delay=drain_delay).run())


@click.command("keys", short_help="Make, list and withdraw API keys for bridge serve.")
@click.argument("name", metavar="[ID]", default="")
@click.option("--file", "path", required=True, metavar="FILE", help="File of hashed keys; made if it is not there.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=options.choice("translate", "metrics", "admin"),
    help="What the key allows; may be repeated. Without it: translate.",
)
@click.option("--expires", default="", metavar="DATE", help="Day or time (RFC 3339) from which the key is refused.")
@click.option("--remove", is_flag=True, help="Withdraw the key ID.")
def keys_command(*, name: str, path: str, scopes: tuple[str, ...], expires: str, remove: bool) -> Exit:
    """Make the key ID, show it once on standard output, and keep its SHA-256 in FILE. Without ID: list the keys.

    A running service takes a changed file within a second. To change a key, make one with a new ID, hand it out, and
    withdraw the old one with --remove.

    \b
      bridge keys mirth-1 --file keys.json --expires 2027-12-31
      bridge keys --file keys.json
      bridge keys mirth-1 --file keys.json --remove
    """  # noqa: D301 - \b keeps click from filling the lines
    from bridge.http import auth  # noqa: PLC0415

    file = Path(path)
    known = _known(file)
    if not name:
        for key in known:
            click.echo(f"{key.id}\t{','.join(key.scopes)}\t{key.expires or 'no end'}")
        return Exit.DONE
    others = [key for key in known if key.id != name]
    if remove:
        if len(others) == len(known):
            raise click.UsageError(f"There is no key {name!r}.")
        auth.write_keys(file, others)
        return Exit.DONE
    if len(others) != len(known):
        raise click.UsageError(f"There is a key {name!r} already; choose another ID, or withdraw it with --remove.")
    secret = auth.new_key()
    made = auth.Key(name, auth.digest(secret.encode()).hex(), scopes or ("translate",), expires)
    try:
        made.is_valid(0)
    except ValueError:
        raise click.UsageError("--expires takes a day or time such as 2027-12-31.") from None
    auth.write_keys(file, [*others, made])
    files.write_stdout(f"{secret}\n".encode())
    return Exit.DONE


def _known(file: Path) -> tuple[Any, ...]:
    from bridge.http import auth  # noqa: PLC0415

    if not file.exists():
        return ()
    try:
        return auth.read_keys(file)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{error}") from None
