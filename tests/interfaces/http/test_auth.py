"""Keys, tokens, scopes: who may do what."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli.main import main
from bridge.http import auth
from bridge.http.app import ROUTES
from bridge.http.settings import Settings
from tests.interfaces.http import documents
from tests.interfaces.http.caller import App, app_of, call

SENT = {"query": "to=hl7v2", "body": documents.ER7, "content_type": "text/plain"}


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, str]:
    """Keys by id, and the file that holds their digests."""
    made = {name: auth.new_key() for name in ("engine", "watcher", "old")}
    rows = [
        auth.Key("engine", auth.digest(made["engine"].encode()).hex(), ("translate",), ""),
        auth.Key("watcher", auth.digest(made["watcher"].encode()).hex(), ("metrics",), "2999-01-01"),
        auth.Key("old", auth.digest(made["old"].encode()).hex(), ("translate",), "2001-01-01"),
    ]
    auth.write_keys(tmp_path / "keys.json", rows)
    return made | {"file": str(tmp_path / "keys.json")}


@pytest.fixture
def app(keys: dict[str, str]) -> App:
    return app_of(keys_file=keys["file"])


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"anybody:{key}".encode()).decode()


def test_a_key_may_come_as_bearer_header_or_password(app: App, keys: dict[str, str]) -> None:
    key = keys["engine"]
    assert call(app, **SENT, authorization=f"Bearer {key}").status == 200
    assert call(app, **SENT, x_api_key=key).status == 200
    assert call(app, **SENT, authorization=basic(key)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer " + "x" * 43},
        {"authorization": "Bearer \xc3\xa9"},
        {"authorization": "Bearer"},
        {"authorization": "Basic !!!"},
        {"authorization": "Digest username=x"},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.e30."},
        {"x_api_key": ""},
    ],
)
def test_without_a_valid_key_the_answer_is_401_always_in_the_same_words(
    app: App, keys: dict[str, str], headers: dict[str, str]
) -> None:
    got, expired = call(app, **SENT, **headers), call(app, **SENT, x_api_key=keys["old"])
    assert (got.status, got.code) == (401, "http.unauthenticated")
    assert got.headers["www-authenticate"]
    assert got.body == expired.body


def test_a_key_without_the_scope_is_403(app: App, keys: dict[str, str]) -> None:
    assert call(app, **SENT, x_api_key=keys["watcher"]).status == 403
    assert call(app, "GET", "/metrics", x_api_key=keys["watcher"]).status == 200
    assert call(app, "GET", "/metrics", x_api_key=keys["engine"]).status == 403
    assert call(app, "POST", "/v1/tables/reload", x_api_key=keys["engine"]).status == 403


def test_only_health_and_descriptions_are_open(app: App) -> None:
    for route in ROUTES:
        for method in route.methods:
            got = call(app, method, route.template.replace("{id}", "x").replace("{tag}", "300A0055"))
            assert (got.status == 401) == bool(route.scope), route.template


def test_every_digest_is_compared(app: App, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    monkeypatch.setattr(auth, "compare_digest", lambda one, other: compared.append(one + other) or one == other)
    call(app, **SENT, x_api_key=keys["engine"])
    first = len(compared)
    call(app, **SENT, x_api_key="no key")
    assert (first, len(compared)) == (3, 6)
    assert not [pair for pair in compared if keys["engine"].encode() in pair]


def test_keys_are_exchanged_while_the_service_runs(app: App, keys: dict[str, str]) -> None:
    new = auth.new_key()
    auth.write_keys(Path(keys["file"]), [auth.Key("new", auth.digest(new.encode()).hex(), ("translate",), "")])
    app.service.gate.refresh()
    assert call(app, **SENT, x_api_key=new).status == 200
    assert call(app, **SENT, x_api_key=keys["engine"]).status == 401


@pytest.mark.parametrize(
    "content", ["", "{", '{"keys": [{"id": "x"}]}', '{"keys": [{"id": "x", "sha256": "no", "scopes": []}]}']
)
def test_a_faulty_file_leaves_the_old_keys_in_force(app: App, keys: dict[str, str], content: str) -> None:
    Path(keys["file"]).write_text(content)
    app.service.gate.refresh()
    assert call(app, **SENT, x_api_key=keys["engine"]).status == 200


def test_a_faulty_file_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys.json").write_text("{")
    with pytest.raises(ValueError, match="not a file of keys"):
        app_of(keys_file=str(tmp_path / "keys.json"))


def test_the_command_shows_a_key_once_and_keeps_its_digest(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    run = CliRunner().invoke
    shown = run(main, ["keys", "engine", "--file", str(file), "--expires", "2999-01-01"]).stdout.strip()
    assert shown not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert call(app_of(keys_file=str(file)), **SENT, x_api_key=shown).status == 200
    assert run(main, ["keys", "--file", str(file)]).stdout == "engine\ttranslate\t2999-01-01\n"
    assert run(main, ["keys", "engine", "--file", str(file)]).exit_code == 2
    assert run(main, ["keys", "engine", "--file", str(file), "--remove"]).exit_code == 0
    assert run(main, ["keys", "--file", str(file)]).stdout == ""


# -- tokens -------------------------------------------------------------------------------------------------------------

jose = pytest.importorskip("joserfc", reason="joserfc is not installed")


class Issuer:
    """An OpenID Connect issuer with one signing key."""

    def __init__(self, folder: Path) -> None:
        from joserfc.jwk import ECKey, OctKey, RSAKey

        self.key = ECKey.generate_key("P-256", {"kid": "one"})
        self.stranger = ECKey.generate_key("P-256", {"kid": "one"})
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa"})
        self.shared = OctKey.generate_key(256, {"kid": "oct"})
        self.file = folder / "jwks.json"
        self.file.write_text(json.dumps({"keys": [self.key.as_dict(private=False), self.rsa.as_dict(private=False)]}))

    def settings(self) -> dict[str, Any]:
        return {
            "jwt_keys": str(self.file),
            "jwt_issuer": "https://issuer.test",
            "jwt_audience": "bridge",
            "jwt_scope_prefix": "bridge/",
        }

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        from joserfc import jwt

        now = int(time.time())
        said = {
            "iss": "https://issuer.test",
            "aud": "bridge",
            "sub": "engine",
            "exp": now + 300,
            "nbf": now - 10,
            "scope": "openid bridge/translate",
        }
        said = {name: value for name, value in (said | claims).items() if value is not None}
        return jwt.encode(
            {"alg": "ES256", "kid": "one"} | (header or {}),
            said,
            key or self.key,
            algorithms=["ES256", "RS256", "HS256"],
        )


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Issuer:
    return Issuer(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def guarded(issuer: Issuer) -> App:
    return app_of(**issuer.settings())


def with_token(app: App, token: str) -> Any:
    return call(app, **SENT, authorization=f"Bearer {token}")


def test_a_good_token_is_let_through_again_and_again(guarded: App, issuer: Issuer) -> None:
    token = issuer.token()
    assert [with_token(guarded, token).status for _ in range(2)] == [200, 200]
    assert with_token(guarded, issuer.token(issuer.rsa, {"alg": "RS256", "kid": "rsa"})).status == 200
    assert with_token(guarded, issuer.token(nbf=None, aud=["other", "bridge"])).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_000_000_000}, {"exp": None}, {"nbf": 4_000_000_000}, {"aud": "other"}, {"aud": None}, {"iss": "https://other.test"}, {"iss": None},
    ],
    ids=str,
)  # fmt: skip
def test_one_wrong_claim_is_401_with_the_words_of_a_wrong_key(
    guarded: App, issuer: Issuer, claims: dict[str, Any]
) -> None:
    got = with_token(guarded, issuer.token(**claims))
    assert got.status == 401
    assert got.body == call(guarded, **SENT).body


def test_a_token_without_the_scope_is_403(guarded: App, issuer: Issuer) -> None:
    assert with_token(guarded, issuer.token(scope="system/Patient.r")).status == 403
    assert with_token(guarded, issuer.token(scope="translate")).status == 403


def test_the_attackers_key_is_never_taken(guarded: App, issuer: Issuer) -> None:
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=") + ".e30."
    jwk = issuer.stranger.as_dict(private=False)
    tokens = [
        none,
        issuer.token(issuer.stranger),
        issuer.token(issuer.stranger, {"jwk": jwk}),
        issuer.token(issuer.stranger, {"jku": "http://192.0.2.1/jwks", "x5u": "http://192.0.2.1/x"}),
        issuer.token(issuer.key, {"kid": "../../dev/null"}),
        issuer.token(issuer.shared, {"alg": "HS256", "kid": "oct"}),
        "a.b.c",
        issuer.token()[:-4] + "AAAA",
    ]
    assert {with_token(guarded, token).status for token in tokens} == {401}


def test_a_token_is_remembered_only_until_it_expires(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    app, token = app_of(**issuer.settings()), issuer.token()
    assert with_token(app, token).status == 200
    later = time.time() + 3600
    monkeypatch.setattr("time.time", lambda: later)
    monkeypatch.setattr("bridge.http.tokens.time", lambda: later)
    assert with_token(app, token).status == 401


def test_an_issuer_exchanges_its_keys_while_the_service_runs(tmp_path: Path) -> None:
    issuer = Issuer(tmp_path)
    app, old = app_of(**issuer.settings()), issuer.token()
    assert with_token(app, old).status == 200
    issuer.file.write_text("{")
    app.service.gate.refresh()
    assert with_token(app, old).status == 200, "a faulty file leaves the old keys in force"
    issuer.file.write_text(json.dumps({"keys": [issuer.stranger.as_dict(private=False)]}))
    app.service.gate.refresh()
    assert with_token(app, issuer.token(issuer.stranger)).status == 200
    assert with_token(app, old).status == 401, "and what the old key had signed is forgotten with it"


@pytest.mark.parametrize("wrong", [{"jwt_issuer": ""}, {"jwt_audience": ""}, {"jwt_keys": "/no/such/file"}])
def test_half_a_configuration_is_refused_at_the_start(issuer: Issuer, wrong: dict[str, Any]) -> None:
    with pytest.raises((ValueError, OSError), match=r"token|JWKS|No such file"):
        app_of(**issuer.settings() | wrong)


def test_settings_survive_the_environment() -> None:
    settings = Settings(tables=("a.yaml", "b.yaml"), json_bytes=5, access_log=False, body_seconds=0.5)
    assert Settings.from_environment(settings.to_environment()) == settings
    with pytest.raises(ValueError, match="BRIDGE_HTTP_JSON_BYTES"):
        Settings.from_environment({"BRIDGE_HTTP_JSON_BYTES": "many"})
