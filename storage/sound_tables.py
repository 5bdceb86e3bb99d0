"""What was made of recordings' files: copies for every ear, originals under lock and key. Private to storage."""

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from storage.metadata import Id, Moment, metadata

sounds = Table(
    "sounds",
    metadata,
    Column("id", Id, primary_key=True),
    Column("recording_id", Id, ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    Column("leg", String(8), nullable=False),  # mix, rx, tx: the file of the recording it is made of
    Column("said", Moment),  # of the transcript by which ``safe`` was decided
    Column("safe", String(8)),  # clean, bleeped, never; null: not decided
    Column("bleeped", Text),  # name of the copy with a tone in it
    Column("sealed", Text),  # name of the sealed original
    Column("key", String(32)),  # id of the key that sealed it
    Column("bytes", Id),  # of the original
    Column("removed", Moment),  # the plain original is gone since
    UniqueConstraint("recording_id", "leg"),
    Index("ix_sounds_key", "key"),
)
