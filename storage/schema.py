"""All tables together: what migrations compare with and a fresh database gets."""

from storage import (
    account_tables,
    callback_tables,
    choice_tables,
    crm_index_tables,
    crm_ref_tables,
    crm_sync_tables,
    customer_search_tables,
    customer_tables,
    erasure_tables,
    gap_tables,
    job_tables,
    push_tables,
    search_tables,
    seat_tables,
    second_factor_tables,
    sound_tables,
    summary_edit_tables,
    tables,
    token_tables,
)
from storage.metadata import metadata

TABLES = (
    account_tables,
    callback_tables,
    choice_tables,
    crm_index_tables,
    crm_ref_tables,
    crm_sync_tables,
    customer_search_tables,
    customer_tables,
    erasure_tables,
    gap_tables,
    job_tables,
    push_tables,
    search_tables,
    seat_tables,
    second_factor_tables,
    sound_tables,
    summary_edit_tables,
    tables,
    token_tables,
)

__all__ = ["TABLES", "metadata"]
