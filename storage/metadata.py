"""The one collection of tables. Every module that describes tables hangs them on ``metadata``; ``schema`` joins them.

Names of constraints follow one convention, so that a migration can name what it changes on either database.
"""

from sqlalchemy import BigInteger, Double, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelled INTEGER, and that is 64 bits there.
Id = BigInteger().with_variant(Integer(), "sqlite")

# Epoch seconds. Double, because a 32-bit float of today's epoch is off by a minute.
Moment: Double[float] = Double()
