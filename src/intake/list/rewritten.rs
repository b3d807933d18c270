//! Lists that are no text, or not in rows, are written once as CSV into a temporary file without a name, each row with
//! its line in the original in front. So there is one reader of rows, however a list came.

use std::io::BufWriter;

use chrono::{DateTime, Utc};
use csv::Writer;

use super::source::{Origin, spool};
use crate::intake::problem::{ListProblem, NotAList};

/// Where the rows go.
pub(super) struct Rewriter<'f> {
    text: Writer<BufWriter<&'f mut std::fs::File>>,
    /// Bytes that may still be written.
    left: u64,
}

/// A list that was no text is no longer than this as one, so that it fills neither the disk nor the day: a million rows of
/// three hundred characters.
const MOST_TEXT: u64 = 320 << 20;

impl Rewriter<'_> {
    /// Adds a row that stands on `line` of the original.
    pub(super) fn row<C: AsRef<[u8]>>(
        &mut self,
        line: u64,
        cells: impl IntoIterator<Item = C>,
    ) -> Result<(), ListProblem> {
        let failed = |error: csv::Error| {
            if let csv::ErrorKind::Io(error) = error.into_kind() { error.into() } else { ListProblem::Damaged }
        };
        self.text.write_field(line.to_string()).map_err(failed)?;
        for cell in cells {
            let length = cell.as_ref().len() as u64 + 1;
            self.left = self.left.checked_sub(length).ok_or(ListProblem::NotText(NotAList::Bomb))?;
            self.text.write_field(cell).map_err(failed)?;
        }
        self.text.write_record(None::<&[u8]>).map_err(failed)
    }
}

/// A list as `write` rewrites it.
pub(super) fn rewritten(
    modified: Option<DateTime<Utc>>,
    write: impl FnOnce(&mut Rewriter<'_>) -> Result<(), ListProblem>,
) -> Result<Origin, ListProblem> {
    let fill = |file: &mut std::fs::File| {
        let text = csv::WriterBuilder::new().flexible(true).from_writer(BufWriter::new(file));
        let mut rewriter = Rewriter { text, left: MOST_TEXT };
        write(&mut rewriter)?;
        rewriter.text.flush().map_err(|error| super::unreadable(&error))
    };
    spool(fill, modified)
}
