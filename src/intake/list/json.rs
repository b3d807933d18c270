//! JSON lists: an array of objects, such an array wrapped in an object (`{"patients": […]}`), or objects one after the
//! other (JSON lines). Nested objects become columns joined by `_`; numbers keep their original text.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::encoding::DecodedText;
use super::header::Header;
use super::json_scanner::{JsonElement, JsonError, JsonScanner};
use super::limits::MAX_COLUMNS;
use super::row::ListRow;
use crate::intake::error::ListError;

/// Objects nested deeper than this become one cell with their JSON text.
const MAX_DEPTH: usize = 8;
/// The maximum size of a column's name in bytes. The names of nested objects are joined.
const MAX_NAME: usize = 1_000;

const TOO_MANY: ListError = ListError::TooManyColumns { limit: MAX_COLUMNS };

/// The keys, in lower case, that identify the list among several arrays.
const LIST_NAMES: [&str; 8] = ["patients", "data", "rows", "records", "results", "items", "entries", "list"];

/// Where the rows are in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// `[…]`
    Array,
    /// `{"patients": […]}`, with the key.
    Key(String),
    /// `{"resourceType": "Bundle", "entry": […]}`
    Bundle {
        /// The Bundle is one page of a search, and not the last.
        has_next: bool,
    },
    /// `{…} {…}`
    Bare,
}

impl Wrapping {
    /// The key of the array of rows.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Bundle { .. } => Some("entry"),
            Self::Array | Self::Bare => None,
        }
    }
}

/// Finds the rows; `None` for a text that is not JSON.
pub(super) fn wrapping(text: DecodedText) -> Result<Option<Wrapping>, ListError> {
    let mut scanner = JsonScanner::new(text);
    match scanner.skip_to_value(b"").map_err(JsonError::from)? {
        Some(b'[') => Ok(Some(Wrapping::Array)),
        Some(b'{') => wrapping_of_object(&mut scanner).map(Some),
        _ => Ok(None),
    }
}

/// An array in a wrapping object.
struct ArrayCandidate {
    key: String,
    holds_objects: bool,
}

fn wrapping_of_object<R: BufRead>(scanner: &mut JsonScanner<R>) -> Result<Wrapping, ListError> {
    scanner.skip(b'{');
    let mut candidates = Vec::new();
    let (mut is_bundle, mut has_next) = (false, false);
    while let Some(key) = next_key(scanner)? {
        let opens = scanner.skip_to_value(b":").map_err(JsonError::from)?;
        match (key.as_str(), opens) {
            ("resourceType", Some(b'"')) => is_bundle = scanner.element()?.text == b"\"Bundle\"",
            ("link", Some(b'[')) => has_next = has_next_page(scanner.element()?.text),
            (_, Some(b'[')) if candidates.len() >= MAX_COLUMNS => return Err(TOO_MANY),
            (_, Some(b'[')) => candidates.push(candidate(scanner, key)?),
            _ => scanner.skip_value()?,
        }
    }
    if is_bundle {
        return Ok(Wrapping::Bundle { has_next });
    }
    let more = scanner.skip_to_value(b"").map_err(JsonError::from)?.is_some();
    if more { Ok(Wrapping::Bare) } else { choose_array(candidates) }
}

fn candidate<R: BufRead>(scanner: &mut JsonScanner<R>, key: String) -> Result<ArrayCandidate, ListError> {
    scanner.skip(b'[');
    let holds_objects = scanner.skip_to_value(b"").map_err(JsonError::from)? == Some(b'{');
    skip_array(scanner)?;
    Ok(ArrayCandidate { key, holds_objects })
}

/// Whether the links of a Bundle include a next page.
fn has_next_page(links: &[u8]) -> bool {
    let links: Vec<serde_json::Value> = serde_json::from_slice(links).unwrap_or_default();
    links.iter().any(|link| link.get("relation").is_some_and(|relation| relation == "next"))
}

/// The next key of the object that the scanner is in; `None` at its end.
fn next_key<R: BufRead>(scanner: &mut JsonScanner<R>) -> Result<Option<String>, ListError> {
    let line = scanner.line();
    match scanner.skip_to_value(b",").map_err(JsonError::from)? {
        Some(b'"') => {
            let element = scanner.element()?;
            serde_json::from_slice(element.text).map(Some).map_err(|_| malformed(line))
        }
        Some(b'}') => {
            scanner.skip(b'}');
            Ok(None)
        }
        _ => Err(malformed(line)),
    }
}

fn skip_array<R: BufRead>(scanner: &mut JsonScanner<R>) -> Result<(), ListError> {
    loop {
        match scanner.skip_to_value(b",").map_err(JsonError::from)? {
            Some(b']') => break scanner.skip(b']'),
            Some(b'}') | None => return Err(malformed(scanner.line())),
            Some(_) => scanner.skip_value()?,
        }
    }
    Ok(())
}

fn choose_array(mut candidates: Vec<ArrayCandidate>) -> Result<Wrapping, ListError> {
    if candidates.iter().any(|candidate| candidate.holds_objects) {
        candidates.retain(|candidate| candidate.holds_objects);
    }
    let named = |candidate: &&ArrayCandidate| LIST_NAMES.contains(&candidate.key.to_lowercase().as_str());
    let mut known = candidates.iter().filter(named);
    match (candidates.as_slice(), known.next(), known.next()) {
        ([], ..) => Ok(Wrapping::Bare),
        ([only], ..) => Ok(Wrapping::Key(only.key.clone())),
        (_, Some(known), None) => Ok(Wrapping::Key(known.key.clone())),
        _ => Err(ListError::SeveralLists { keys: candidates.into_iter().map(|candidate| candidate.key).collect() }),
    }
}

fn malformed(line: u64) -> ListError {
    ListError::Malformed { line, what: "not well-formed JSON" }
}

impl From<JsonError> for ListError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Io(error) => error.into(),
            JsonError::Unfinished(line) => Self::Malformed { line, what: "starts a JSON value that never ends" },
            JsonError::TooLong(line) => Self::Malformed { line, what: "starts a JSON value too long for a row" },
        }
    }
}

/// The names of all rows, in the order of first appearance.
pub(super) fn header(mut rows: JsonRows) -> Result<Header, ListError> {
    while let Some((_, pairs)) = rows.pairs()? {
        for (name, _) in pairs {
            rows.add_column(name);
        }
        if rows.header.names().len() > MAX_COLUMNS {
            return Err(TOO_MANY);
        }
    }
    Ok(rows.header)
}

/// The rows of a JSON list.
#[derive(Debug)]
pub(super) struct JsonRows {
    scanner: JsonScanner<DecodedText>,
    wrapping: Wrapping,
    started: bool,
    header: Header,
    columns: HashMap<String, usize>,
}

type ObjectPairs = Vec<(String, String)>;

impl JsonRows {
    pub(super) fn new(text: DecodedText, wrapping: Wrapping, header: Header) -> Self {
        let columns = header.names().iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        Self { scanner: JsonScanner::new(text), wrapping, started: false, header, columns }
    }

    fn add_column(&mut self, name: String) {
        if !self.columns.contains_key(&name) {
            self.columns.insert(name.clone(), self.header.names().len());
            self.header.push_new(name);
        }
    }

    pub(super) fn read(&mut self) -> Result<Option<ListRow>, ListError> {
        let Some((line, mut pairs)) = self.pairs()? else { return Ok(None) };
        let mut cells = vec![String::new(); self.header.names().len()];
        for (name, text) in pairs.drain(..) {
            if let Some(cell) = self.columns.get(&name).and_then(|at| cells.get_mut(*at)) {
                *cell = text;
            }
        }
        Ok(Some(ListRow { line, cells: cells.into() }))
    }

    /// The next row's line, with its columns and cells.
    fn pairs(&mut self) -> Result<Option<(u64, ObjectPairs)>, ListError> {
        let Some(element) = self.element()? else { return Ok(None) };
        let line = element.line;
        flatten_row(&element).map(|pairs| Some((line, pairs)))
    }

    /// The next row as JSON.
    pub(super) fn element(&mut self) -> Result<Option<JsonElement<'_>>, ListError> {
        if !self.started {
            self.start()?;
        }
        let separator: &[u8] = if self.wrapping == Wrapping::Bare { b"" } else { b"," };
        match self.scanner.skip_to_value(separator).map_err(JsonError::from)? {
            None if self.wrapping == Wrapping::Bare => Ok(None),
            None => Err(ListError::Malformed { line: self.scanner.line(), what: "the array never ends" }),
            Some(b']') if self.wrapping != Wrapping::Bare => self.end().map(|()| None),
            Some(b'{') => Ok(Some(self.scanner.element()?)),
            Some(_) => Err(ListError::Malformed { line: self.scanner.line(), what: "not an object" }),
        }
    }

    /// Moves to the first element.
    fn start(&mut self) -> Result<(), ListError> {
        self.started = true;
        let first = self.scanner.skip_to_value(b"").map_err(JsonError::from)?;
        let (false, Some(first)) = (self.wrapping == Wrapping::Bare, first) else { return Ok(()) };
        self.scanner.skip(first);
        let Some(wanted) = self.wrapping.key().map(str::to_owned) else { return Ok(()) };
        while let Some(key) = next_key(&mut self.scanner)? {
            let opens = self.scanner.skip_to_value(b":").map_err(JsonError::from)?;
            if key == wanted && opens == Some(b'[') {
                self.scanner.skip(b'[');
                return Ok(());
            }
            self.scanner.skip_value()?;
        }
        Err(malformed(self.scanner.line()))
    }

    /// Refuses text after the array, which might be further rows.
    fn end(&mut self) -> Result<(), ListError> {
        if self.wrapping == Wrapping::Array {
            self.scanner.skip(b']');
            if self.scanner.skip_to_value(b"").map_err(JsonError::from)?.is_some() {
                return Err(ListError::Malformed { line: self.scanner.line(), what: "more text after the list" });
            }
        }
        Ok(())
    }
}

fn flatten_row(element: &JsonElement<'_>) -> Result<ObjectPairs, ListError> {
    let object: JsonObject<'_> = serde_json::from_slice(element.text).map_err(|error| {
        // Serde counts lines from the start of the element.
        malformed(element.line + (error.line() as u64).saturating_sub(1))
    })?;
    let mut pairs = ObjectPairs::new();
    flatten_object("", object, 0, &mut pairs).map_err(|_| malformed(element.line))?;
    if exceeds_limits(&pairs) { Err(TOO_MANY) } else { Ok(pairs) }
}

/// An object's members in order, including those with repeated names.
struct JsonObject<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectMembers;
        impl<'de> Visitor<'de> for ObjectMembers {
            type Value = JsonObject<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(JsonObject(members))
            }
        }
        deserializer.deserialize_map(ObjectMembers)
    }
}

fn flatten_object(
    prefix: &str,
    object: JsonObject<'_>,
    depth: usize,
    into: &mut ObjectPairs,
) -> serde_json::Result<()> {
    for (key, value) in object.0 {
        if exceeds_limits(into) {
            break;
        }
        let name = if prefix.is_empty() { key } else { format!("{prefix}_{key}") };
        flatten(&name, value, depth, into)?;
    }
    Ok(())
}

fn flatten(name: &str, value: &RawValue, depth: usize, into: &mut ObjectPairs) -> serde_json::Result<()> {
    if name.len() > MAX_NAME {
        push(name, String::new(), into);
        return Ok(());
    }
    match value.get().as_bytes().first() {
        Some(b'{') if depth < MAX_DEPTH => flatten_object(name, serde_json::from_str(value.get())?, depth + 1, into),
        Some(b'[') if depth < MAX_DEPTH => flatten_array(name, serde_json::from_str(value.get())?, depth + 1, into),
        _ => {
            push(name, scalar(value)?, into);
            Ok(())
        }
    }
}

/// An array of scalars becomes one cell; an array with objects or arrays becomes columns numbered from 1.
fn flatten_array(name: &str, values: Vec<&RawValue>, depth: usize, into: &mut ObjectPairs) -> serde_json::Result<()> {
    let nested = |value: &&RawValue| value.get().starts_with(['{', '[']);
    if !values.iter().any(nested) {
        let texts: Vec<String> = values.into_iter().map(scalar).collect::<serde_json::Result<_>>()?;
        push(name, texts.join("; "), into);
        return Ok(());
    }
    for (at, value) in values.into_iter().enumerate() {
        if exceeds_limits(into) {
            break;
        }
        flatten(&format!("{name}_{}", at + 1), value, depth, into)?;
    }
    Ok(())
}

/// A string without its quotes, an empty text for `null`, the JSON text of anything else.
fn scalar(value: &RawValue) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text),
        text => Ok(text.to_owned()),
    }
}

/// Whether the object has too many columns, or too long a name, to be a row.
fn exceeds_limits(pairs: &ObjectPairs) -> bool {
    pairs.len() > MAX_COLUMNS || pairs.last().is_some_and(|(name, _)| name.len() > MAX_NAME)
}

fn push(name: &str, text: String, into: &mut ObjectPairs) {
    let mut unique = name.to_owned();
    let mut count = 1;
    while into.iter().any(|(other, _)| *other == unique) {
        count += 1;
        unique = format!("{name} ({count})");
    }
    into.push((unique, text));
}
