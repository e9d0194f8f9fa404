"""The commands that docs/operate.md names, run as an operator does, on both databases."""

import io
import json
import logging
import tomllib
from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
import structlog
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.orm import sessionmaker

from idp.base.clock import utc_now
from idp.base.logs import configure_logs
from idp.cli.main import main
from idp.db.engine import configure_engine
from idp.db.session import transaction
from idp.domain.backstage.delivery import claim_due, mark_failed
from idp.domain.upkeep.outbox import BackchannelLogout, enqueue_backchannel_logout
from idp.model.people import Account, AccountStatus
from idp.model.upkeep import AuditEvent, OutboxMessage
from tests import factories

FAMILY = {
    "guardian": {
        "family_name": "佐倉",
        "given_name": "美咲",
        "email": "misaki@example.jp",
        "external_key": "R8-00417/1",
    },
    "application_number": "R8-00417",
    "children": [{"name": "佐倉 ひより", "birthdate": "2024-05-12"}],
    "proxies": [
        {
            "family_name": "佐倉",
            "given_name": "健",
            "email": "ken@example.jp",
            "relationship": "father",
            "until": "2027-03-31",
        }
    ],
}
CLIENT = {
    "client_id": "booking",
    "client_name": "一時あずかり予約",
    "redirect_uris": ["https://booking.kakuu.example/callback"],
    "scope": "openid household",
    "kosodate_municipality": "990001",
}
STAFF = (
    *("staff", "add", "admin@city.example", "--family-name", "情報", "--given-name", "花子"),
    *("--role", "system_admin", "--until", "2027-03-31"),
)


def test_config_secrets_and_example_make_settings_that_hold(capsys):
    assert main(["config", "secrets"]) == 0
    secrets = tomllib.loads(capsys.readouterr().out)["secrets"]
    assert len(set(secrets.values())) == 3
    assert main(["config", "example"]) == 0
    assert "provider" in tomllib.loads(capsys.readouterr().out)


def test_lg_05_settings_that_do_not_hold_are_said_in_one_line(tmp_path, capsys):
    path = tmp_path / "bad.toml"
    path.write_text('[provider]\nissuer = "http://login.kakuu.example"\n', encoding="utf-8")
    assert main(["--config", str(path), "config", "check"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("idp: settings: ")


def test_db_upgrade_and_check_agree(idp):
    assert idp("db", "upgrade")[0] == 0
    assert idp("db", "check")[0] == 0


def test_db_check_fails_while_the_tables_are_older(idp, database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        present = connection.scalar(text("SELECT version_num FROM alembic_version"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    code, _, problem = idp("db", "check")
    assert code == 1
    assert "idp db upgrade" in problem
    with engine.begin() as connection:
        restored = text("UPDATE alembic_version SET version_num = :present")
        connection.execute(restored, {"present": present})
    engine.dispose()


def test_b01_a_municipality_chooses_its_second_step(idp, town, ask):
    query = text("SELECT second_step, lock_minutes, office FROM municipality")
    assert ask(query) == [("always", 30, "こども課")]
    code, _, _ = idp(
        *("municipalities", "set", town, "--second-step", "user_choice", "--lock-minutes", 5)
    )
    assert code == 0
    assert ask(query) == [("user_choice", 5, "こども課")]


@pytest.mark.parametrize("minutes", [4, 61])
def test_b37_a_lock_outside_its_bounds_changes_nothing(idp, town, ask, minutes):
    code, _, problem = idp("municipalities", "set", town, "--lock-minutes", minutes)
    assert (code, "municipality_lock_minutes" in problem) == (1, True)
    assert ask(text("SELECT lock_minutes FROM municipality")) == [(30,)]


def test_a28_publishing_by_command_makes_numbered_versions(idp, town, write):
    text_of = "# 利用規約\n\n## 第1条\n\n目的。{}\n".format
    first, second = write("1.md", text_of("")), write("2.md", text_of("あらためました。"))
    assert idp("documents", "publish", town, "terms", f"ja={first}")[1].strip().endswith("1.")
    code, _, problem = idp("documents", "publish", town, "terms", f"ja={first}")
    assert (code, "document_unchanged" in problem) == (1, True)
    summary = ("--summary", "ja=言いまわし")
    assert idp("documents", "publish", town, "terms", f"ja={second}", *summary, "--minor")[0] == 0
    assert [line.split("\t")[:2] for line in idp("documents", "list", town)[1].splitlines()] == [
        ["terms", "2"],
        ["terms", "1"],
    ]


def test_pw_09_the_first_administrator_is_made_with_password_and_app(idp, ask, monkeypatch, capsys):
    class Typing(io.StringIO):
        """Types the password, then the code of the app whose address was shown."""

        asked = 0

        def readline(self, *_):
            self.asked += 1
            if self.asked == 1:
                return "Kawara-no-4-nadeshiko\n"
            uri = next(line for line in capsys.readouterr().out.splitlines() if "otpauth" in line)
            return pyotp.parse_uri(uri).at(utc_now()) + "\n"

    monkeypatch.setattr("sys.stdin", Typing())
    assert idp(*STAFF)[0] == 0
    assert ask(select(Account.door, Account.status, Account.login_id)) == [
        ("staff", AccountStatus.ACTIVE, "admin@city.example")
    ]
    assert ask(text("SELECT role FROM staff_role")) == [("system_admin",)]
    assert ask(text("SELECT count(*) FROM totp_credential WHERE confirmed_at IS NOT NULL")) == [
        (1,)
    ]


def test_pw_09_a_wrong_code_of_the_app_writes_nobody(idp, ask, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("Kawara-no-4-nadeshiko\nabcdef\n"))
    code, _, problem = idp(*STAFF)
    assert (code, "nothing was written" in problem) == (1, True)
    assert ask(select(func.count()).select_from(Account)) == [(0,)]


def test_a04_a34_families_are_issued_from_a_file_once(idp, town, write, ask):
    file = write("families.json", json.dumps([FAMILY]))
    assert "1 families" in idp("accounts", "issue", town, file, "--check")[1]
    assert ask(select(func.count()).select_from(Account)) == [(0,)]
    assert "issued_mailed" in idp("accounts", "issue", town, file)[1]
    assert "already_registered" in idp("accounts", "issue", town, file)[1]
    assert ask(select(Account.status)) == [(AccountStatus.ISSUED,), (AccountStatus.ISSUED,)]
    names = {name for (name,) in ask(select(OutboxMessage.name))}
    assert names == {"account_issued", "proxy_invited", "proxy_added"}
    assert len(idp("accounts", "waiting", town)[1].splitlines()) == 2
    # The notice left a moment ago: nobody is written to again so soon.
    assert idp("accounts", "send-again", town)[1].startswith("0 ")


def test_a04_one_mistake_in_a_file_writes_nobody(idp, town, write, ask):
    wrong = FAMILY | {"guardian": FAMILY["guardian"] | {"email": "misaki@", "external_key": "2"}}
    code, _, problem = idp(
        *("accounts", "issue", town, write("families.json", json.dumps([FAMILY, wrong])))
    )
    assert code == 1
    assert problem.startswith("idp: family 2: email:")
    assert ask(select(func.count()).select_from(Account)) == [(0,)]


def test_ca_08_ca_09_a_client_file_is_imported_exported_and_its_secret_shown_once(idp, town, write):
    assert idp("keys", "ensure")[0] == 0
    printed = idp("clients", "import", write("booking.json", json.dumps(CLIENT)))[1]
    secret = printed.splitlines()[1].split("\t")[1]
    exported = json.loads(idp("clients", "export", "booking")[1])
    assert exported["redirect_uris"] == CLIENT["redirect_uris"]
    assert json.loads(idp("clients", "export-all")[1]) == [exported]
    assert secret not in json.dumps(exported)
    assert (
        "client_secret" not in idp("clients", "import", write("again.json", json.dumps(CLIENT)))[1]
    )
    renewed = idp("clients", "rotate-secret", "booking")[1]
    assert renewed.startswith("client_secret\t")
    assert secret not in renewed
    assert idp("clients", "end-old-secrets", "booking")[0] == 0
    assert idp("clients", "disable", "booking")[0] == 0
    assert idp("clients", "enable", "booking")[0] == 0
    assert idp("clients", "list")[1].startswith("booking\t")
    assert idp("clients", "disable", "nobody")[0] == 1


def test_az_08_a_client_file_that_is_none_is_refused(idp, town, write):
    for content, problem in (("{", "as JSON"), ("[]", "one object"), ('{"a": NaN}', "as JSON")):
        code, _, said = idp("clients", "import", write("booking.json", content))
        assert code == 1
        assert problem in said


def test_az_08_a_client_file_with_a_bad_address_is_refused_by_field(idp, town, write):
    wrong = CLIENT | {"redirect_uris": ["javascript:alert(1)"]}
    code, _, problem = idp("clients", "import", write("booking.json", json.dumps(wrong)))
    assert (code, "redirect_uris" in problem) == (1, True)


def test_kt_01_a_key_must_be_published_for_a_while_before_it_signs(idp):
    assert idp("keys", "ensure")[0] == 0
    assert idp("keys", "publish", "ES256")[0] == 0
    code, _, problem = idp("keys", "activate", "ES256")
    assert (code, "has been published" in problem) == (1, True)
    rows = [line.split("\t") for line in idp("keys", "list")[1].splitlines()]
    assert sorted(row[2] for row in rows) == ["active"] * 4 + ["published"]
    coming = {(row[1], row[2]): row[4].partition(" ")[0] for row in rows}
    assert coming[("ES256", "active")] == ""
    assert coming[("ES256", "published")] == "activate"
    assert coming[("RS256", "active")] == "publish_successor"
    assert idp("keys", "advance") == (0, "Nothing was due.\n", "")


def test_housekeeping_says_how_much_went(idp):
    assert idp("housekeeping")[1] == "0 rows deleted.\n"


def test_in_03_the_log_is_one_line_of_json_an_event():
    stream = io.StringIO()
    configure_logs(level="INFO", form="json", stream=stream)
    structlog.get_logger("a").info("call.refused", reason="x\nforged\x1b[31m")
    logging.getLogger("b").warning("outbox.later row=%s", "1\nforged")
    logging.getLogger("b").debug("nothing")
    logging.getLogger("authlib").info("a live token")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["event"], first["level"]) == ("call.refused", "info")
    assert second["event"] == "outbox.later row=1\nforged"


def test_the_level_of_the_log_is_kept():
    stream = io.StringIO()
    configure_logs(level="ERROR", form="text", stream=stream)
    logging.getLogger("b").warning("small")
    logging.getLogger("b").error("large")
    assert "large" in stream.getvalue()
    assert "small" not in stream.getvalue()


def test_deliveries_are_listed_and_tried_again(idp, town, ask, database_url):
    engine = create_engine(database_url)
    configure_engine(engine)
    now, keys = utc_now(), factories.make_keyring()
    with transaction(sessionmaker(engine)) as db:
        person = factories.make_account(db, now=now, email="hidden@example.jp")
        ended = BackchannelLogout("booking", uuid4(), person.id)
        enqueue_backchannel_logout(db, ended, keys=keys, now=now)
        [row_id] = claim_due(db, limit=1, now=now)
        mark_failed(db, row_id, "status_500")
    engine.dispose()
    code, listed, _ = idp("deliveries", "list")
    assert code == 0
    assert f"{row_id}\t" in listed
    assert "booking\tbackchannel_logout\tfailed\t1\tstatus_500" in listed
    assert "example.jp" not in listed
    assert idp("deliveries", "list", "--page", 2)[0] == 1
    assert idp("deliveries", "retry", row_id)[0] == 0
    state = select(OutboxMessage.state, OutboxMessage.try_count)
    assert ask(state) == [("queued", 0)]
    assert idp("deliveries", "retry", "all") == (0, "1\n", "")
    assert "no such delivery" in idp("deliveries", "retry", uuid4())[2]
    assert "no id" in idp("deliveries", "retry", "x")[2]


def test_b43_maintenance_is_planned_listed_and_ended(idp, sessions):
    code, window_id, _ = idp(
        *("maintenance", "plan", "--from", "2200-11-29T00:00", "--until", "2200-11-29T05:00"),
        *("--note-ja", "予約の締切にご注意ください。", "--announce-days", "3"),
    )
    assert code == 0
    listed = idp("maintenance", "list")[1]
    assert listed.split("\t") == [
        *(window_id.strip(), "planned"),
        *("2200-11-29T00:00+09:00", "2200-11-29T05:00+09:00\n"),
    ]
    assert idp("maintenance", "end", window_id.strip())[0] == 0
    assert idp("maintenance", "list")[1] == ""
    code, _, complaint = idp("maintenance", "end", window_id.strip())
    assert (code, complaint) == (1, "idp: there is no such plan, or it is over\n")
    with transaction(sessions) as db:
        written = db.execute(select(AuditEvent.name, AuditEvent.actor_kind)).all()
    assert sorted(written) == [("maintenance.called_off", "cli"), ("maintenance.planned", "cli")]


def test_b43_maintenance_may_start_now(idp):
    until = (utc_now() + timedelta(hours=2)).isoformat()
    assert idp("maintenance", "plan", "--until", until)[0] == 0
    assert "\trunning\t" in idp("maintenance", "list")[1]


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2200-11-29T05:00", "2200-11-29T05:00", "later than --from"),
        ("2020-11-29T00:00", "2020-11-29T05:00", "--until is over"),
        ("2200-11-01T00:00", "2200-11-09T00:00", "more than seven days"),
    ],
)
def test_b43_what_makes_no_sense_is_not_planned(idp, start, end, words):
    code, _, complaint = idp("maintenance", "plan", "--from", start, "--until", end)
    assert code == 1
    assert words in complaint
    assert idp("maintenance", "list")[1] == ""
