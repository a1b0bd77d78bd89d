"""The worked examples under infra/sip: read by the bridge, by XML, and by Kamailio itself."""

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from phone_bridge.settings import TOML_FILE, load
from tests.sip_peers.kamailio import CONFIG, PROGRAM, with_kamailio

SIP = Path(__file__).parents[2] / "infra" / "sip"
FOLDERS = sorted(path.parent.name for path in SIP.glob(f"*/{TOML_FILE}"))
PASSWORDS = {"OFFICE_PASSWORD": "sesame", "TRUNK_PASSWORD": "sesame"}


def test_there_is_an_example_for_each() -> None:
    assert FOLDERS == ["asterisk", "freeswitch", "kamailio", "twilio"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_bridge_reads_its_side_of_each(folder: str, tmp_path: Path) -> None:
    settings = load({"PHONE_BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/b.db", **PASSWORDS}, SIP / folder)
    (trunk,) = settings.sip_trunks
    assert trunk.calls_out
    assert trunk.addresses or trunk.registers


@pytest.mark.parametrize("file", sorted(SIP.glob("*/*.xml")), ids=lambda file: file.name)
def test_what_is_xml_is_well_formed(file: Path) -> None:
    assert ET.parse(file).getroot().tag == "include"  # noqa: S314 - our own file


@with_kamailio
def test_kamailio_takes_its_file(tmp_path: Path) -> None:
    checked = subprocess.run([str(PROGRAM), "-c", "-f", str(CONFIG)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
