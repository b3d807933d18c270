//! The statements, each in a file of its own under `sql/`.

/// The text of the statement in `sql/NAME.sql`.
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!("sql/", $name, ".sql"))
    };
}
pub(super) use sql;
