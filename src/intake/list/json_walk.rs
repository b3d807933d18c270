//! A walk over a JSON text of known layout: into the containers, from row to row.

use std::rc::Rc;

use super::encoding::DecodedText;
use super::json_layout::{JsonLayout, malformed, next_key};
use super::json_scanner::{JsonElement, JsonScanner};
use crate::intake::error::ListError;

/// What the walk has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum JsonStep {
    /// A row. The caller reads it ([`JsonWalk::value`]).
    Row,
    /// A member of a container that holds no rows, with its key. The caller reads or skips it.
    Member(String),
    /// The walk has entered an object that holds rows.
    Enter,
    /// The walk has left an object that holds rows.
    Leave,
}

/// A container that the walk is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Container {
    Object,
    Array,
}

/// A walk over a JSON text.
#[derive(Debug)]
pub(super) struct JsonWalk {
    scanner: JsonScanner<DecodedText>,
    layout: Rc<JsonLayout>,
    /// The number of containers that have been entered.
    entered: usize,
    /// The containers around the present position.
    around: Vec<Container>,
}

impl JsonWalk {
    pub(super) fn new(text: DecodedText, layout: Rc<JsonLayout>) -> Self {
        Self { scanner: JsonScanner::new(text), layout, entered: 0, around: Vec::new() }
    }

    /// The next step; `None` at the end of the text.
    pub(super) fn step(&mut self) -> Result<Option<JsonStep>, ListError> {
        loop {
            let container = self.around.last().copied();
            let key = if container == Some(Container::Object) {
                let Some(key) = next_key(&mut self.scanner)? else {
                    self.around.pop();
                    return Ok(Some(JsonStep::Leave));
                };
                Some(key)
            } else {
                None
            };
            let separator: &[u8] = if key.is_some() { b":" } else { b"," };
            let Some(opens) = self.scanner.skip_to_value(separator)? else {
                return if container.is_none() { Ok(None) } else { Err(malformed(self.scanner.line())) };
            };
            if container == Some(Container::Array) && opens == b']' {
                self.scanner.skip(opens);
                self.around.pop();
            } else if self.layout.containers.get(self.entered) == Some(&self.scanner.offset()) {
                self.entered += 1;
                self.scanner.skip(opens);
                if opens == b'[' {
                    self.around.push(Container::Array);
                } else {
                    self.around.push(Container::Object);
                    return Ok(Some(JsonStep::Enter));
                }
            } else if matches!(opens, b']' | b'}') && (container.is_some() || !self.layout.by_line) {
                return Err(malformed(self.scanner.line()));
            } else {
                return Ok(Some(key.map_or(JsonStep::Row, JsonStep::Member)));
            }
        }
    }

    /// Reads the row or the member's value that the walk has come to.
    pub(super) fn value(&mut self) -> Result<JsonElement<'_>, ListError> {
        if self.layout.by_line && self.around.is_empty() {
            return Ok(self.scanner.element_of_line()?);
        }
        Ok(self.scanner.element()?)
    }

    /// Skips it.
    pub(super) fn skip(&mut self) -> Result<(), ListError> {
        Ok(self.scanner.skip_value()?)
    }
}
