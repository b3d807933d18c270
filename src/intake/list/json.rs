//! The rows of a JSON list. Nested objects become columns joined by `_`; numbers keep their original text.
//!
//! A row that cannot be read is a row with a fault, so that the rows around it can be.

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::encoding::DecodedText;
use super::expectations::IsKnown;
use super::header::Header;
use super::json_layout::JsonLayout;
use super::json_pages;
use super::json_scanner::JsonElement;
use super::json_walk::{JsonStep, JsonWalk};
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS};
use super::row::{ListRow, RowFault, RowUnit};
use crate::intake::error::ListError;
use crate::intake::normal_form::composed;

/// Objects nested deeper than this become one cell with their JSON text.
const MAX_DEPTH: usize = 8;
/// The maximum size of a column's name in bytes. The names of nested objects are joined.
const MAX_NAME: usize = 1_000;

/// The maximum size of the text of an unreadable row in the rejects file, in bytes.
const MAX_SHOWN_TEXT: usize = 1_000;

const TOO_MANY: ListError = ListError::TooManyColumns { limit: MAX_COLUMNS };

/// What the rows of a JSON list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JsonKind {
    /// Objects with the cells under their columns' names.
    Objects,
    /// Arrays of cells.
    Arrays,
    /// FHIR resources, or entries with them.
    Fhir,
}

/// What the rows are, judged by the first ones.
pub(super) fn kind(mut rows: JsonElements) -> Result<JsonKind, ListError> {
    let (mut objects, mut arrays) = (0, 0);
    for _ in 0..HEADER_SEARCH_ROWS {
        let Some(row) = rows.next()? else { break };
        if has_resource(row.element.text) {
            return Ok(JsonKind::Fhir);
        }
        objects += usize::from(row.element.text.starts_with(b"{"));
        arrays += usize::from(row.element.text.starts_with(b"["));
    }
    Ok(if arrays > objects { JsonKind::Arrays } else { JsonKind::Objects })
}

/// Whether an object is a FHIR resource, or an entry with one.
fn has_resource(element: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Typed {
        #[serde(default)]
        resource_type: Option<serde_json::Value>,
        #[serde(default)]
        resource: Option<serde_json::Value>,
    }
    // An array would be read as the struct's fields in order.
    let typed: Option<Typed> = element.starts_with(b"{").then(|| serde_json::from_slice(element).ok()).flatten();
    typed.is_some_and(|typed| {
        typed.resource_type.is_some_and(|kind| kind.is_string())
            || typed.resource.is_some_and(|resource| resource.get("resourceType").is_some())
    })
}

/// The columns of a list of objects, in the order of first appearance, and what the number of a row counts.
pub(super) fn header(elements: JsonElements, is_known: IsKnown<'_>) -> Result<(Header, RowUnit), ListError> {
    let mut rows = JsonRows::new(elements, Header::default(), RowUnit::Line);
    let mut first_fault = None;
    while let Some(row) = rows.elements.next()? {
        let number = row.number(RowUnit::Line);
        let pairs = match pairs_of(&row.element)? {
            Ok(pairs) => pairs,
            Err(fault) => {
                first_fault.get_or_insert((number, fault));
                continue;
            }
        };
        let is_new = |(name, _): &(String, String)| !rows.columns.contains_key(name);
        if pairs.iter().all(is_new) && !pairs.iter().any(|(name, _)| is_known(name)) {
            // No row of this list, but perhaps words about its page.
            if let Ok(members) = serde_json::from_slice(row.element.text) {
                json_pages::require_last_page(&members)?;
            }
        }
        for (name, _) in pairs {
            rows.add_column(name);
        }
        if rows.header.names().len() > MAX_COLUMNS {
            return Err(TOO_MANY);
        }
    }
    match first_fault {
        Some((line, fault)) if rows.header.names().is_empty() => Err(ListError::Malformed { line, what: fault.text() }),
        None if rows.header.names().is_empty() => Err(ListError::NoRows),
        Some(_) | None => Ok((rows.header, rows.elements.unit())),
    }
}

/// A row as JSON, with its place.
#[derive(Debug)]
pub(super) struct NumberedElement<'e> {
    pub(super) element: JsonElement<'e>,
    number: u64,
}

impl NumberedElement<'_> {
    /// The number of the row's line, or of the row itself.
    pub(super) fn number(&self, unit: RowUnit) -> u64 {
        match unit {
            RowUnit::Line => self.element.line,
            RowUnit::Element => self.number,
        }
    }
}

/// The rows of a JSON text as JSON.
#[derive(Debug)]
pub(super) struct JsonElements {
    walk: JsonWalk,
    /// The number of rows so far.
    count: u64,
    /// The line of the last row.
    line: u64,
    shares_lines: bool,
}

impl JsonElements {
    pub(super) fn new(text: DecodedText, layout: &Rc<JsonLayout>) -> Self {
        Self { walk: JsonWalk::new(text, Rc::clone(layout)), count: 0, line: 0, shares_lines: false }
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<NumberedElement<'_>>, ListError> {
        loop {
            match self.walk.step()? {
                None => return Ok(None),
                Some(JsonStep::Row) => break,
                Some(JsonStep::Member(_)) => self.walk.skip()?,
                Some(JsonStep::Enter | JsonStep::Leave) => {}
            }
        }
        let element = self.walk.value()?;
        self.count += 1;
        self.shares_lines |= std::mem::replace(&mut self.line, element.line) == element.line;
        Ok(Some(NumberedElement { element, number: self.count }))
    }

    /// What the number of a row counts, once all rows were read.
    pub(super) fn unit(&self) -> RowUnit {
        if self.shares_lines { RowUnit::Element } else { RowUnit::Line }
    }
}

/// The start of a text, for the rejects file.
pub(super) fn shown_text(text: &[u8]) -> String {
    String::from_utf8_lossy(&text[..text.len().min(MAX_SHOWN_TEXT)]).into_owned()
}

/// The rows of a JSON list of objects.
#[derive(Debug)]
pub(super) struct JsonRows {
    elements: JsonElements,
    header: Header,
    columns: HashMap<String, usize>,
    unit: RowUnit,
}

type ObjectPairs = Vec<(String, String)>;

impl JsonRows {
    pub(super) fn new(elements: JsonElements, header: Header, unit: RowUnit) -> Self {
        let columns = header.names().iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        Self { elements, header, columns, unit }
    }

    fn add_column(&mut self, name: String) {
        if !self.columns.contains_key(&name) {
            self.columns.insert(name.clone(), self.header.names().len());
            self.header.push_new(name);
        }
    }

    pub(super) fn read(&mut self) -> Result<Option<ListRow>, ListError> {
        let Some(row) = self.elements.next()? else { return Ok(None) };
        let line = row.number(self.unit);
        let mut pairs = match pairs_of(&row.element)? {
            Ok(pairs) => pairs,
            Err(fault) => {
                let cells = [shown_text(row.element.text)].into_iter().collect();
                return Ok(Some(ListRow { line, cells, fault: Some(fault), is_hidden: false }));
            }
        };
        let mut cells = vec![String::new(); self.header.names().len()];
        for (name, text) in pairs.drain(..) {
            if let Some(cell) = self.columns.get(&name).and_then(|at| cells.get_mut(*at)) {
                *cell = text;
            }
        }
        Ok(Some(ListRow { line, cells: cells.into(), fault: None, is_hidden: false }))
    }
}

/// The columns and cells of a row, or why it has none.
fn pairs_of(element: &JsonElement<'_>) -> Result<Result<ObjectPairs, RowFault>, ListError> {
    let value: &RawValue = match element.parse()? {
        Ok(value) => value,
        Err(fault) => return Ok(Err(fault)),
    };
    if !value.get().starts_with('{') {
        return Ok(Err(RowFault::WrongShape));
    }
    let mut pairs = ObjectPairs::new();
    let flattened = serde_json::from_str(value.get()).and_then(|object| flatten_object("", object, 0, &mut pairs));
    if flattened.is_err() {
        return Ok(Err(RowFault::NotJson));
    }
    if exceeds_limits(&pairs) { Err(TOO_MANY) } else { Ok(Ok(pairs)) }
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
        let key = composed(&key);
        let name = if prefix.is_empty() { key.into_owned() } else { format!("{prefix}_{key}") };
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

/// An array of scalars as one text, anything else as its own.
pub(super) fn cell_text(value: &RawValue) -> serde_json::Result<String> {
    let nested = |value: &&RawValue| value.get().starts_with(['{', '[']);
    match serde_json::from_str::<Vec<&RawValue>>(value.get()) {
        Ok(values) if !values.iter().any(nested) => {
            Ok(values.into_iter().map(scalar).collect::<serde_json::Result<Vec<_>>>()?.join("; "))
        }
        Ok(_) | Err(_) => scalar(value),
    }
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
