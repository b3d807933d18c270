//! Quotes that are opened in one row of a CSV file and closed in another, or never. The rows in between would be in one
//! cell: their patients would be left out, or their numbers dialled for somebody else.

use std::io::Read;

use crate::intake::error::ListError;

/// The size of a piece of the file that is looked through at a time.
const PIECE: usize = 1 << 16;

/// A row that is longer is refused by what reads the rows, so the scan need not go on.
const LONGEST_ROW: usize = 1 << 20;

/// Where in the file the scan is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    CellStart,
    Plain,
    Quoted,
    /// After a quote in a quoted cell: its end, or the first of a pair.
    AfterQuote,
}

/// The scan of a file, by the rules by which its rows are read.
struct QuoteScan {
    separator: u8,
    position: Position,
    line: u64,
    previous: u8,
    /// The line on which the last quoted cell begins.
    opened: u64,
    /// The length of the row so far.
    row: usize,
    /// Whether something other than a line's end stands in the quoted cell behind its first line.
    spans_lines: bool,
}

/// Refuses a text with a quoted cell of several lines that is never closed, or that goes on after its closing quote: that
/// quote opens another cell. `separator` separates the cells.
pub(super) fn refuse_misplaced(mut text: impl Read, separator: u8) -> Result<(), ListError> {
    let mut scan = QuoteScan {
        separator,
        position: Position::CellStart,
        line: 1,
        previous: 0,
        opened: 1,
        row: 0,
        spans_lines: false,
    };
    let mut piece = vec![0; PIECE];
    loop {
        let length = text.read(&mut piece)?;
        if length == 0 {
            break;
        }
        for byte in &piece[..length] {
            scan.next(*byte)?;
        }
        if scan.row > LONGEST_ROW {
            return Ok(());
        }
    }
    if scan.position == Position::Quoted { scan.refuse_if_it_spans_lines() } else { Ok(()) }
}

impl QuoteScan {
    fn next(&mut self, byte: u8) -> Result<(), ListError> {
        let is_end = byte == self.separator || matches!(byte, b'\n' | b'\r');
        self.position = match (self.position, byte) {
            (Position::CellStart, b'"') => {
                (self.opened, self.spans_lines) = (self.line, false);
                Position::Quoted
            }
            (Position::Quoted, b'"') => Position::AfterQuote,
            (Position::Quoted, _) => {
                self.spans_lines |= self.line > self.opened && !matches!(byte, b'\n' | b'\r');
                Position::Quoted
            }
            (Position::AfterQuote, b'"') => Position::Quoted,
            (Position::CellStart | Position::Plain | Position::AfterQuote, _) if is_end => Position::CellStart,
            (Position::CellStart | Position::Plain, _) => Position::Plain,
            (Position::AfterQuote, b' ') => Position::AfterQuote,
            (Position::AfterQuote, _) => {
                self.refuse_if_it_spans_lines()?;
                Position::Plain
            }
        };
        let is_row_end = self.position == Position::CellStart && matches!(byte, b'\n' | b'\r');
        self.row = if is_row_end { 0 } else { self.row + 1 };
        let is_second_of_pair = byte == b'\n' && self.previous == b'\r';
        self.line += u64::from(matches!(byte, b'\n' | b'\r') && !is_second_of_pair);
        self.previous = byte;
        Ok(())
    }

    fn refuse_if_it_spans_lines(&self) -> Result<(), ListError> {
        if self.spans_lines { Err(ListError::RowsInACell { line: self.opened }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_line(text: &str) -> Option<u64> {
        match refuse_misplaced(text.as_bytes(), b',') {
            Ok(()) => None,
            Err(ListError::RowsInACell { line }) => Some(line),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_quote_that_another_row_closes_is_refused_with_the_line_that_opens_it() {
        for (text, line) in [
            ("a,b\n1,\"x\ny,z\n", Some(2)),
            ("a,b\n\"1\n1\",\"x\ny,z\n", Some(3)),
            ("a,b\n1,\"x\n2,\"y\"\n", Some(2)),
            ("a,b\r\n1,x\r\n2,\"y\r\n3,\"Poe, Al\"\r\n", Some(3)),
            ("a,b\n1,\"x\ny\"\n2,z\n", None),
            ("a,b\n1,\"x \"\"q\"\"\ny\" ,\n2,z\n", None),
            ("a,b\n1,5'10\"\n2,6'2\"\n", None),
            ("a,b\n1,\"x\" y\n2,z\n", None),
            ("a,b\n1,z\n2,\"the last one\n", None),
            ("a,b\r1,x\r2,\"y\r3,\"z\"\r", Some(3)),
            ("", None),
        ] {
            assert_eq!(refused_line(text), line, "{text}");
        }
    }
}
