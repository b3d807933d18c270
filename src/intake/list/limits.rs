//! The limits that all list formats share.

/// The maximum number of columns, far above what exports have: a list with more has data in its JSON keys.
pub(super) const MAX_COLUMNS: usize = 1_000;

/// The maximum size of a row, a JSON value or a text in a workbook, in bytes; far above what exports have.
pub(super) const MAX_ROW_BYTES: usize = 1 << 20;

/// The number of rows among which the header is searched: titles may precede it.
pub(super) const HEADER_SEARCH_ROWS: usize = 20;

/// The maximum size of a JSON string in bytes. A longer one is a photo or a document, and is read as an empty text.
pub(super) const MAX_STRING_BYTES: usize = 1 << 16;
