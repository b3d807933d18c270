//! Lists of JSON arrays: `[["id", "phone"], ["1", "…"]]`, or `{"columns": […], "data": [[…]]}`, converted to CSV. Without
//! column names of its own the first array is the header.

use serde_json::value::RawValue;

use super::csv_spool::spool_csv;
use super::json::{JsonElements, cell_text, shown_text};
use super::json_scanner::JsonElement;
use super::limits::MAX_COLUMNS;
use super::row::{RowFault, RowUnit};
use super::source::ListOrigin;
use crate::intake::error::ListError;

/// Converts the arrays to CSV. Each call of `elements` reads them from the start.
pub(super) fn to_csv(
    origin: &ListOrigin,
    elements: impl Fn() -> Result<JsonElements, ListError>,
    unit: RowUnit,
    header: Option<&[String]>,
) -> Result<ListOrigin, ListError> {
    spool_csv(origin.modified(), |rows| {
        if let Some(names) = header {
            rows.write_row(1, names)?;
        }
        let (mut elements, mut count) = (elements()?, 0);
        while let Some(row) = elements.next()? {
            count += 1;
            let number = row.number(unit);
            match cells_of(&row.element)? {
                Ok(cells) if cells.len() > MAX_COLUMNS => {
                    return Err(ListError::TooManyColumns { limit: MAX_COLUMNS });
                }
                Ok(cells) => rows.write_row(number, cells)?,
                Err(fault) => rows.write_fault(number, fault, &shown_text(row.element.text))?,
            }
        }
        // One array alone may be anything; its cells must not be taken for column names.
        if count < 2 && header.is_none() { Err(ListError::NoRows) } else { Ok(()) }
    })
}

fn cells_of(element: &JsonElement<'_>) -> Result<Result<Vec<String>, RowFault>, ListError> {
    let value: &RawValue = match element.parse()? {
        Ok(value) => value,
        Err(fault) => return Ok(Err(fault)),
    };
    let Ok(cells) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else { return Ok(Err(RowFault::WrongShape)) };
    Ok(cells.into_iter().map(cell_text).collect::<serde_json::Result<_>>().map_err(|_| RowFault::NotJson))
}
