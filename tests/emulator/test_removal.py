"""Removing what guests have left."""

from __future__ import annotations

from pathlib import Path

from ingen_emulator.removal import remove_tree


def test_everything_goes_and_links_are_not_followed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("text")
    folder = tmp_path / "folder"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "removal" / "1").mkdir(parents=True)
    (folder / "a" / "file").write_text("text")
    (folder / "a" / "link").symlink_to(kept)
    (folder / "removal" / "file").write_text("text")
    remove_tree(folder)
    assert list(tmp_path.iterdir()) == [kept]
    assert (kept / "file").read_text() == "text"
    remove_tree(folder)  # it is gone already
