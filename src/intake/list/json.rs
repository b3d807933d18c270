//! JSON lists: an array of objects, one wrapped in an object (`{"patients": […]}`), or objects one after the other
//! (newline-delimited). Nested objects become columns joined by `_`; numbers keep the text they were written with.

use std::collections::HashMap;
use std::fmt;
use std::io::BufRead;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::elements::{Broken, Element, Scanner};
use super::encoding::Text;
use super::{Header, MOST_COLUMNS, Row};
use crate::intake::problem::ListProblem;

/// Objects nested deeper than this are kept as their text.
const DEEPEST: usize = 8;
/// A column's name has this many bytes at most: those of nested objects are put together.
const LONGEST_NAME: usize = 1_000;

const TOO_MANY: ListProblem = ListProblem::TooManyColumns { most: MOST_COLUMNS };

/// Which of several arrays holds the list, if the names alone must tell.
const LIST_NAMES: [&str; 8] = ["patients", "data", "rows", "records", "results", "items", "entries", "list"];

/// Where in a JSON text the rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// `[…]`
    Array,
    /// `{"patients": […]}`, by its key.
    Key(String),
    /// `{"resourceType": "Bundle", "entry": […]}`
    Bundle {
        /// It is one page of a search, and not the last.
        has_next: bool,
    },
    /// `{…} {…}`
    Bare,
}

impl Wrapping {
    /// The key of the object whose value is the array of rows.
    fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(key),
            Self::Bundle { .. } => Some("entry"),
            Self::Array | Self::Bare => None,
        }
    }
}

/// Tells where the rows are; `None` for a text that is no JSON.
pub(super) fn wrapping(text: Text) -> Result<Option<Wrapping>, ListProblem> {
    let mut scanner = Scanner::new(text);
    match scanner.next_of_value(b"").map_err(Broken::from)? {
        Some(b'[') => Ok(Some(Wrapping::Array)),
        Some(b'{') => in_object(&mut scanner).map(Some),
        _ => Ok(None),
    }
}

/// One array in a wrapping object.
struct Candidate {
    key: String,
    holds_objects: bool,
}

fn in_object<R: BufRead>(scanner: &mut Scanner<R>) -> Result<Wrapping, ListProblem> {
    scanner.skip(b'{');
    let mut candidates = Vec::new();
    let (mut is_bundle, mut has_next) = (false, false);
    while let Some(key) = next_key(scanner)? {
        let opens = scanner.next_of_value(b":").map_err(Broken::from)?;
        match (key.as_str(), opens) {
            ("resourceType", Some(b'"')) => is_bundle = scanner.element()?.text == b"\"Bundle\"",
            ("link", Some(b'[')) => has_next = has_next_page(scanner.element()?.text),
            (_, Some(b'[')) if candidates.len() >= MOST_COLUMNS => return Err(TOO_MANY),
            (_, Some(b'[')) => candidates.push(candidate(scanner, key)?),
            _ => scanner.skip_value()?,
        }
    }
    if is_bundle {
        return Ok(Wrapping::Bundle { has_next });
    }
    let more = scanner.next_of_value(b"").map_err(Broken::from)?.is_some();
    if more { Ok(Wrapping::Bare) } else { choose(candidates) }
}

fn candidate<R: BufRead>(scanner: &mut Scanner<R>, key: String) -> Result<Candidate, ListProblem> {
    scanner.skip(b'[');
    let holds_objects = scanner.next_of_value(b"").map_err(Broken::from)? == Some(b'{');
    skip_array(scanner)?;
    Ok(Candidate { key, holds_objects })
}

/// Whether the links of a Bundle name a next page.
fn has_next_page(links: &[u8]) -> bool {
    let links: Vec<serde_json::Value> = serde_json::from_slice(links).unwrap_or_default();
    links.iter().any(|link| link.get("relation").is_some_and(|relation| relation == "next"))
}

/// The next key of the object that the scanner is in, or its end.
fn next_key<R: BufRead>(scanner: &mut Scanner<R>) -> Result<Option<String>, ListProblem> {
    let line = scanner.line();
    match scanner.next_of_value(b",").map_err(Broken::from)? {
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

fn skip_array<R: BufRead>(scanner: &mut Scanner<R>) -> Result<(), ListProblem> {
    loop {
        match scanner.next_of_value(b",").map_err(Broken::from)? {
            Some(b']') => break scanner.skip(b']'),
            Some(b'}') | None => return Err(malformed(scanner.line())),
            Some(_) => scanner.skip_value()?,
        }
    }
    Ok(())
}

fn choose(mut candidates: Vec<Candidate>) -> Result<Wrapping, ListProblem> {
    if candidates.iter().any(|candidate| candidate.holds_objects) {
        candidates.retain(|candidate| candidate.holds_objects);
    }
    let named = |candidate: &&Candidate| LIST_NAMES.contains(&candidate.key.to_lowercase().as_str());
    let mut known = candidates.iter().filter(named);
    match (candidates.as_slice(), known.next(), known.next()) {
        ([], ..) => Ok(Wrapping::Bare),
        ([only], ..) => Ok(Wrapping::Key(only.key.clone())),
        (_, Some(known), None) => Ok(Wrapping::Key(known.key.clone())),
        _ => Err(ListProblem::SeveralLists { keys: candidates.into_iter().map(|candidate| candidate.key).collect() }),
    }
}

fn malformed(line: u64) -> ListProblem {
    ListProblem::Malformed { line, what: "not well-formed JSON" }
}

impl From<Broken> for ListProblem {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => super::unreadable(&error),
            Broken::Unfinished(line) => Self::Malformed { line, what: "starts a JSON value that never ends" },
            Broken::TooLong(line) => Self::Malformed { line, what: "starts a JSON value too long for a row" },
        }
    }
}

/// Every name that occurs in any of the rows, in the order of first appearance.
pub(super) fn header(mut rows: JsonRows) -> Result<Header, ListProblem> {
    while let Some((_, pairs)) = rows.pairs()? {
        for (name, _) in pairs {
            rows.add_column(name);
        }
        if rows.header.names.len() > MOST_COLUMNS {
            return Err(ListProblem::TooManyColumns { most: MOST_COLUMNS });
        }
    }
    Ok(rows.header)
}

/// The rows of a JSON list.
#[derive(Debug)]
pub(super) struct JsonRows {
    scanner: Scanner<Text>,
    wrapping: Wrapping,
    started: bool,
    header: Header,
    columns: HashMap<String, usize>,
}

type Pairs = Vec<(String, String)>;

impl JsonRows {
    pub(super) fn new(text: Text, wrapping: Wrapping, header: Header) -> Self {
        let columns = header.names.iter().cloned().enumerate().map(|(at, name)| (name, at)).collect();
        Self { scanner: Scanner::new(text), wrapping, started: false, header, columns }
    }

    fn add_column(&mut self, name: String) {
        if !self.columns.contains_key(&name) {
            self.columns.insert(name.clone(), self.header.names.len());
            self.header.names.push(name);
        }
    }

    pub(super) fn read(&mut self) -> Result<Option<Row>, ListProblem> {
        let Some((line, mut pairs)) = self.pairs()? else { return Ok(None) };
        let mut cells = vec![String::new(); self.header.names.len()];
        for (name, text) in pairs.drain(..) {
            if let Some(cell) = self.columns.get(&name).and_then(|at| cells.get_mut(*at)) {
                *cell = text;
            }
        }
        Ok(Some(Row { line, cells: cells.into() }))
    }

    /// The next row's columns and cells, and its line.
    fn pairs(&mut self) -> Result<Option<(u64, Pairs)>, ListProblem> {
        let Some(element) = self.element()? else { return Ok(None) };
        let line = element.line;
        pairs_of(&element).map(|pairs| Some((line, pairs)))
    }

    /// The next row as it stands.
    pub(super) fn element(&mut self) -> Result<Option<Element<'_>>, ListProblem> {
        if !self.started {
            self.start()?;
        }
        let between: &[u8] = if self.wrapping == Wrapping::Bare { b"" } else { b"," };
        match self.scanner.next_of_value(between).map_err(Broken::from)? {
            None if self.wrapping == Wrapping::Bare => Ok(None),
            None => Err(ListProblem::Malformed { line: self.scanner.line(), what: "the array never ends" }),
            Some(b']') if self.wrapping != Wrapping::Bare => self.end().map(|()| None),
            Some(b'{') => Ok(Some(self.scanner.element()?)),
            Some(_) => Err(ListProblem::Malformed { line: self.scanner.line(), what: "not an object" }),
        }
    }

    /// Moves to the first element.
    fn start(&mut self) -> Result<(), ListProblem> {
        self.started = true;
        let first = self.scanner.next_of_value(b"").map_err(Broken::from)?;
        let (false, Some(first)) = (self.wrapping == Wrapping::Bare, first) else { return Ok(()) };
        self.scanner.skip(first);
        let Some(wanted) = self.wrapping.key().map(str::to_owned) else { return Ok(()) };
        while let Some(key) = next_key(&mut self.scanner)? {
            let opens = self.scanner.next_of_value(b":").map_err(Broken::from)?;
            if key == wanted && opens == Some(b'[') {
                self.scanner.skip(b'[');
                return Ok(());
            }
            self.scanner.skip_value()?;
        }
        Err(malformed(self.scanner.line()))
    }

    /// Nothing may follow the array: it would be rows that nobody reads.
    fn end(&mut self) -> Result<(), ListProblem> {
        if self.wrapping == Wrapping::Array {
            self.scanner.skip(b']');
            if self.scanner.next_of_value(b"").map_err(Broken::from)?.is_some() {
                return Err(ListProblem::Malformed { line: self.scanner.line(), what: "more text after the list" });
            }
        }
        Ok(())
    }
}

fn pairs_of(element: &Element<'_>) -> Result<Pairs, ListProblem> {
    let object: Object<'_> = serde_json::from_slice(element.text).map_err(|error| {
        // serde counts lines from the start of the element.
        malformed(element.line + (error.line() as u64).saturating_sub(1))
    })?;
    let mut pairs = Pairs::new();
    flatten_object("", object, 0, &mut pairs).map_err(|_| malformed(element.line))?;
    if is_enough(&pairs) { Err(TOO_MANY) } else { Ok(pairs) }
}

/// An object's members in order, none of them lost to another of the same name.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

fn flatten_object(prefix: &str, object: Object<'_>, depth: usize, into: &mut Pairs) -> serde_json::Result<()> {
    for (key, value) in object.0 {
        if is_enough(into) {
            break;
        }
        let name = if prefix.is_empty() { key } else { format!("{prefix}_{key}") };
        flatten(&name, value, depth, into)?;
    }
    Ok(())
}

fn flatten(name: &str, value: &RawValue, depth: usize, into: &mut Pairs) -> serde_json::Result<()> {
    if name.len() > LONGEST_NAME {
        push(name, String::new(), into);
        return Ok(());
    }
    match value.get().as_bytes().first() {
        Some(b'{') if depth < DEEPEST => flatten_object(name, serde_json::from_str(value.get())?, depth + 1, into),
        Some(b'[') if depth < DEEPEST => flatten_array(name, serde_json::from_str(value.get())?, depth + 1, into),
        _ => {
            push(name, scalar(value)?, into);
            Ok(())
        }
    }
}

/// An array of plain values is one cell; one of objects becomes columns numbered from 1.
fn flatten_array(name: &str, values: Vec<&RawValue>, depth: usize, into: &mut Pairs) -> serde_json::Result<()> {
    let nested = |value: &&RawValue| value.get().starts_with(['{', '[']);
    if !values.iter().any(nested) {
        let texts: Vec<String> = values.into_iter().map(scalar).collect::<serde_json::Result<_>>()?;
        push(name, texts.join("; "), into);
        return Ok(());
    }
    for (at, value) in values.into_iter().enumerate() {
        if is_enough(into) {
            break;
        }
        flatten(&format!("{name}_{}", at + 1), value, depth, into)?;
    }
    Ok(())
}

/// Strings without their quotes, `null` as nothing, everything else as it is written.
fn scalar(value: &RawValue) -> serde_json::Result<String> {
    match value.get() {
        "null" => Ok(String::new()),
        text if text.starts_with('"') => serde_json::from_str(text),
        text => Ok(text.to_owned()),
    }
}

/// Whether a row has shown already that it is none: the next column would be one too many.
fn is_enough(pairs: &Pairs) -> bool {
    pairs.len() > MOST_COLUMNS || pairs.last().is_some_and(|(name, _)| name.len() > LONGEST_NAME)
}

fn push(name: &str, text: String, into: &mut Pairs) {
    let mut unique = name.to_owned();
    let mut count = 1;
    while into.iter().any(|(taken, _)| *taken == unique) {
        count += 1;
        unique = format!("{name} ({count})");
    }
    into.push((unique, text));
}
