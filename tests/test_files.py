"""Files that are whole or as they were before."""

from pathlib import Path

import pytest

from multillm.files import replacing


def test_a_file_takes_the_place_of_another_only_once_it_is_whole(tmp_path: Path) -> None:
    path, link = tmp_path / "table.csv", tmp_path / "link.csv"
    path.write_text("before")
    link.symlink_to(path)
    (tmp_path / "table.csv.part").write_text("left behind by a crash")
    with pytest.raises(UnicodeEncodeError), replacing(link) as unfinished:
        unfinished.write_text("half of it \ud800", "utf-8")
    assert path.read_text() == "before"
    with replacing(link) as unfinished:
        assert not unfinished.exists()
        unfinished.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert sorted(tmp_path.iterdir()) == [link, path]
