"""``bridge mllp``."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any, TypeVar

import click

from bridge.cli import options
from bridge.cli.exits import Exit, exit_of

F = TypeVar("F", bound=Callable[..., Any])
_MIB = 1 << 20


def _option(*names: str, **about: Any) -> Callable[[F], F]:
    """Return an option that says its default."""
    return click.option(*names, show_default=bool(about.get("default")), **about)


@click.command(
    "mllp",
    short_help="Listen for HL7 v2 over MLLP, translate and deliver.",
    context_settings={"auto_envvar_prefix": "BRIDGE_MLLP"},
)
@_option(
    "--host", default="127.0.0.1", help="Address; another than this machine's own needs --allow or --tls-client-ca."
)
@_option("--port", type=click.IntRange(0, 65535), default=2575, help="Port (2575 is HL7's own).")
@_option("--to", "to", type=options.choice("fhir", "dicom", "dicom-json"), default="fhir", help="Format of the output.")
@_option("--deliver", required=True, metavar="DIR|URL", help="Where outputs are stored before AA is said.")
@_option(
    "--store",
    default="",
    metavar="DIR",
    help="Where accepted messages wait (enhanced mode): CA is said at once. Without it: when the output is stored.",
)
@_option("--allow", multiple=True, metavar="NETWORK", help="Hear only senders in this network; may be repeated.")
@options.table_option
@_option("--fhir-release", type=options.choice("R4", "R4B", "R5"), default="R4", help="Release of a new FHIR document.")
@_option(
    "--as",
    "resource",
    type=options.choice("imaging-study", "service-request"),
    default="imaging-study",
    help="Host of a new FHIR document.",
)
@_option(
    "--unmapped", type=options.choice("report", "carry", "reject"), default="report", help="Attributes without a row."
)
@options.mode_options
@_option("--fallback-charset", default="", metavar="CODEC", help="Codec of text that declares none.")
@_option("--max-hl7", type=click.IntRange(1), default=8, metavar="MIB", help="Largest message.")
@_option("--connections", type=click.IntRange(1), default=100, help="Connections at a time; more are closed.")
@_option("--translate-seconds", type=click.FloatRange(0.1), default=5.0, help="Longest time for one message.")
@_option(
    "--patience", type=click.FloatRange(0.1), default=20.0, help="Seconds that a receiver which is away is waited for."
)
@_option("--tls-cert", default="", metavar="FILE", help="Certificate chain for TLS.")
@_option("--tls-key", default="", metavar="FILE", help="Its private key.")
@_option("--tls-client-ca", default="", metavar="FILE", help="Authorities of senders' certificates.")
def mllp_command(*, tables: tuple[str, ...], host: str, port: int, allow: tuple[str, ...], **chosen: Any) -> Exit:
    """Listen for HL7 v2 messages over MLLP until SIGTERM; translate each, store the output, and then acknowledge.

    AA: the output is stored. AE, AR: it never will be, and ERR says why. CA (messages with MSH-15): the same as AA, or,
    with --store, that the message is on the disk here and waits until its output is delivered; CE, CR: it was not
    accepted. No answer and a closed connection: send it again. SIGHUP reads the tables again.

    \b
      bridge mllp --deliver plans
      bridge mllp --to dicom --deliver plans --store waiting --port 2575
      bridge mllp --deliver https://fhir.example/ImagingStudy --host 0.0.0.0 --allow 10.1.0.0/16
    """  # noqa: D301 - \b keeps click from filling the lines
    options.refuse_both(lenient=chosen["lenient"], strict=chosen["strict"])
    from bridge.issues import BridgeError  # noqa: PLC0415
    from bridge.mllp import serve  # noqa: PLC0415
    from bridge.mllp.work import Plan  # noqa: PLC0415

    if not _is_local(host) and not (allow or chosen["tls_client_ca"]):
        raise click.UsageError("Another host than 127.0.0.1 needs --allow NETWORK or --tls-client-ca.")
    if bool(chosen["tls_cert"]) != bool(chosen["tls_key"]) or (chosen["tls_client_ca"] and not chosen["tls_cert"]):
        raise click.UsageError("--tls-cert and --tls-key go together, and --tls-client-ca needs both.")
    named = ("fhir_release", "resource", "unmapped", "lenient", "strict", "fallback_charset")
    try:
        plan = Plan(
            to=chosen["to"],
            options={name: chosen[name] for name in named},
            allowed=tuple(map(ip_network, allow)),
            most_bytes=chosen["max_hl7"] * _MIB,
            most_connections=chosen["connections"],
            translate_seconds=chosen["translate_seconds"],
            patience=chosen["patience"],
        )
        context = serve.context_of(chosen["tls_cert"], chosen["tls_key"], chosen["tls_client_ca"])
        place = {"deliver": chosen["deliver"], "store": chosen["store"]}
        serve.run(plan, host=host, port=port, tables=tables, context=context, **place)
    except BridgeError as error:
        for issue in error.issues:
            click.echo(str(issue), err=True)
        return exit_of(error.issues, options.loaded(()).catalogue)
    except ssl.SSLError:
        raise click.UsageError("the certificate, its key or the authorities cannot be read.") from None
    except OSError as error:
        raise click.UsageError(f"{error.filename or f'{host}:{port}'}: {error.strerror}.") from None
    except ValueError as error:
        raise click.UsageError(f"{error}.") from None
    return Exit.DONE


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
