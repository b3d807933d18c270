//! Area codes of the United States and Canada (stub until the table lands).

/// The zones of an area code.
#[must_use]
pub fn zones_of(_area: u16) -> Option<&'static [&'static str]> {
    None
}

/// Every zone in the table.
#[must_use]
pub fn all_zones() -> &'static [&'static str] {
    &["America/Chicago"]
}
