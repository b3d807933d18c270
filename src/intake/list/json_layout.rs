//! Where the rows are in a JSON text: which objects and arrays only hold rows, and are no rows themselves.
//!
//! Rows may be the elements of an array, values one after the other, or be wrapped in objects: `{"patients": […]}`,
//! `{"data": {"items": […]}}`, FHIR Bundles in any nesting, and several of these one after the other. An object that has
//! itself the columns of a list is a row, whatever arrays are in it.

use std::collections::HashMap;
use std::io::BufRead;

use super::encoding::DecodedText;
use super::expectations::IsKnown;
use super::json_scanner::{JsonError, JsonScanner, is_by_line};
use super::limits::{HEADER_SEARCH_ROWS, MAX_COLUMNS};
use crate::intake::error::ListError;

/// The keys, in lower case, that identify the list among several arrays.
const LIST_NAMES: [&str; 8] = ["patients", "data", "rows", "records", "results", "items", "entries", "list"];

/// The keys, in lower case, of the column names of a list of arrays.
const HEADER_NAMES: [&str; 6] = ["columns", "fields", "header", "headers", "columnnames", "keys"];

/// Values nested deeper than this are not searched for rows. A Bundle inside a Bundle is three levels deeper.
const MAX_DEPTH: usize = 64;

/// The number of known column names that make an object a row, as they make a line of a CSV file the header.
const KNOWN_NAMES_OF_A_ROW: usize = 2;

/// The maximum number of containers: a million Bundles of one patient have fewer.
const MAX_CONTAINERS: usize = 4_000_000;

/// The maximum number of names whose recognition is remembered. Further ones are taken for unknown.
const MAX_REMEMBERED: usize = 10_000;

/// The maximum size of a name that could be a column's, in bytes.
const MAX_NAME_BYTES: usize = 100;

/// Where the rows are in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct JsonLayout {
    /// Each line is a value of its own, so that a damaged one ends with its line.
    pub(super) by_line: bool,
    /// The offsets of the objects and arrays that hold rows, in order.
    pub(super) containers: Vec<u64>,
    /// The column names of a list of arrays, if they are not its first row.
    pub(super) table_header: Option<Vec<String>>,
}

/// Finds the rows; `None` for a text that is not JSON. `text` opens the text at its start.
pub(super) fn layout(
    text: impl Fn() -> Result<DecodedText, ListError>,
    is_known: IsKnown<'_>,
) -> Result<Option<JsonLayout>, ListError> {
    if !matches!(JsonScanner::new(text()?).skip_to_value(b"")?, Some(b'[' | b'{')) {
        return Ok(None);
    }
    // One after the other: all readers of the text share the file's position.
    let by_line = is_by_line(text()?)?;
    let mut search =
        ContainerSearch { scanner: JsonScanner::new(text()?), is_known, remembered: HashMap::new(), by_line };
    search.layout().map(Some)
}

/// Searches a text for the containers of rows.
struct ContainerSearch<'k, R> {
    scanner: JsonScanner<R>,
    is_known: IsKnown<'k>,
    /// Whether the names that were seen are column names.
    remembered: HashMap<String, bool>,
    by_line: bool,
}

/// The offsets of a container and of those in it that hold rows; empty for a row.
type Containers = Vec<u64>;

/// What an object contains, as far as it matters for whether it is a row.
#[derive(Default)]
struct ObjectProfile {
    resource: ResourceKind,
    /// The names of the plain values.
    names: Vec<String>,
    arrays: Vec<ArrayProfile>,
    /// The Bundle under `resource`.
    bundle: Containers,
    /// A list of entries has another type: the object cannot be read as a Bundle.
    has_odd_entries: bool,
}

#[derive(Default, PartialEq, Eq)]
enum ResourceKind {
    #[default]
    None,
    /// A Bundle or another resource that holds resources, under this key.
    Container(&'static str),
    Other,
}

/// An array, which may hold rows.
struct ArrayProfile {
    /// The keys of the objects around it, and its own.
    path: Vec<String>,
    holds: Elements,
    /// The largest number of known column names in one of its first elements.
    known: usize,
    /// The objects between the wrapping one and the array, the array, and the containers in it.
    containers: Containers,
    /// The strings in it, if it could be the header of a list of arrays.
    names: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Elements {
    Nothing,
    Scalars,
    Arrays,
    Objects,
}

impl ArrayProfile {
    fn key(&self) -> String {
        self.path.last().map(|key| key.to_lowercase()).unwrap_or_default()
    }

    fn is_named(&self) -> bool {
        LIST_NAMES.contains(&self.key().as_str())
    }

    fn looks_like_rows(&self) -> bool {
        self.holds >= Elements::Arrays && self.known >= KNOWN_NAMES_OF_A_ROW
    }
}

impl<R: BufRead> ContainerSearch<'_, R> {
    fn layout(&mut self) -> Result<JsonLayout, ListError> {
        let mut layout = JsonLayout { by_line: self.by_line, ..JsonLayout::default() };
        let mut first: Option<(u64, ObjectProfile)> = None;
        let mut is_first = true;
        while let Some(opens) = self.scanner.skip_to_value(b",")? {
            let is_alone = std::mem::take(&mut is_first);
            if let Some((offset, profile)) = first.take() {
                // More than one value: the first one is judged like the others.
                layout.containers.extend(self.choose_among(offset, profile));
            }
            self.scanner.bound_by_line(self.by_line);
            let value = match opens {
                b'{' if is_alone => self.object(0, true).map(|found| first = Some(found)),
                _ => self.element(opens, 0).map(|found| layout.containers.extend(found)),
            };
            if let Err(error) = value {
                if !self.by_line || !matches!(error, ListError::Malformed { .. }) {
                    return Err(error);
                }
                self.scanner.skip_line()?;
            }
            self.scanner.bound_by_line(false);
            if layout.containers.len() > MAX_CONTAINERS {
                return Err(ListError::TooManyParts);
            }
        }
        if let Some((offset, profile)) = first {
            (layout.containers, layout.table_header) = self.choose_alone(offset, profile)?;
        }
        Ok(layout)
    }

    /// Searches a value that is a row or holds rows.
    fn element(&mut self, opens: u8, depth: usize) -> Result<Containers, ListError> {
        match opens {
            b'{' if depth < MAX_DEPTH => {
                let (offset, profile) = self.object(depth, false)?;
                Ok(self.choose_among(offset, profile))
            }
            b'[' if depth < MAX_DEPTH => {
                let array = self.array(Vec::new(), depth)?;
                Ok(if array.holds == Elements::Scalars { Containers::new() } else { array.containers })
            }
            b']' | b'}' => Err(malformed(self.scanner.line())),
            _ => Ok(self.scanner.skip_value().map(|()| Containers::new())?),
        }
    }

    fn object(&mut self, depth: usize, is_alone: bool) -> Result<(u64, ObjectProfile), ListError> {
        let (offset, mut profile) = (self.scanner.offset(), ObjectProfile::default());
        self.members(&mut profile, &mut Vec::new(), &[], depth, is_alone)?;
        Ok((offset, profile))
    }

    /// Reads the members of an object. `path` has the keys of the objects around it, `around` their offsets.
    fn members(
        &mut self,
        profile: &mut ObjectProfile,
        path: &mut Vec<String>,
        around: &[u64],
        depth: usize,
        is_alone: bool,
    ) -> Result<(), ListError> {
        self.scanner.skip(b'{');
        while let Some(key) = next_key(&mut self.scanner)? {
            let opens = self.scanner.skip_to_value(b":")?;
            let is_searched = depth < MAX_DEPTH && profile.resource != ResourceKind::Other;
            let is_list = path.is_empty() && matches!(key.as_str(), "entry" | "parameter");
            profile.has_odd_entries |= is_list && !matches!(opens, Some(b'[' | b'n'));
            match opens {
                Some(b'"') if key == "resourceType" && path.is_empty() => profile.resource = self.resource_type()?,
                Some(b'{') if is_searched && key == "resource" && path.is_empty() => {
                    profile.bundle = self.element(b'{', depth + 1)?;
                }
                Some(b'{') if is_searched && is_alone => {
                    let offsets: Vec<u64> = around.iter().copied().chain([self.scanner.offset()]).collect();
                    path.push(key);
                    self.members(profile, path, &offsets, depth + 1, is_alone)?;
                    path.pop();
                }
                Some(b'[') if is_searched => {
                    if profile.arrays.len() >= MAX_COLUMNS {
                        return Err(ListError::TooManyColumns { limit: MAX_COLUMNS });
                    }
                    let keys = path.iter().cloned().chain([key]).collect();
                    let mut array = self.array(keys, depth + 1)?;
                    array.containers.splice(0..0, around.iter().copied());
                    profile.arrays.push(array);
                }
                Some(b'{' | b'[') => self.scanner.skip_value()?,
                Some(b'}' | b']' | b',') | None => return Err(malformed(self.scanner.line())),
                Some(_) => {
                    self.scanner.skip_value()?;
                    if is_searched && profile.names.len() < MAX_COLUMNS {
                        profile.names.push(if path.is_empty() { key } else { format!("{}_{key}", path.join("_")) });
                    }
                }
            }
        }
        Ok(())
    }

    fn resource_type(&mut self) -> Result<ResourceKind, ListError> {
        Ok(match self.scanner.element()?.text {
            b"\"Bundle\"" => ResourceKind::Container("entry"),
            b"\"Parameters\"" => ResourceKind::Container("parameter"),
            _ => ResourceKind::Other,
        })
    }

    fn array(&mut self, path: Vec<String>, depth: usize) -> Result<ArrayProfile, ListError> {
        let mut array = ArrayProfile {
            path,
            holds: Elements::Nothing,
            known: 0,
            containers: vec![self.scanner.offset()],
            names: Vec::new(),
        };
        self.scanner.skip(b'[');
        let mut count = 0;
        loop {
            let Some(opens) = self.scanner.skip_to_value(b",")? else { return Err(unfinished(self.scanner.line())) };
            if opens == b']' {
                self.scanner.skip(b']');
                return Ok(array);
            }
            count += 1;
            self.array_element(&mut array, opens, depth, count <= HEADER_SEARCH_ROWS)?;
        }
    }

    fn array_element(
        &mut self,
        array: &mut ArrayProfile,
        opens: u8,
        depth: usize,
        is_among_first: bool,
    ) -> Result<(), ListError> {
        match opens {
            b'{' if depth < MAX_DEPTH => {
                let (offset, profile) = self.object(depth + 1, false)?;
                array.holds = Elements::Objects;
                if is_among_first {
                    array.known = array.known.max(self.known(&profile.names));
                }
                array.containers.extend(self.choose_among(offset, profile));
            }
            b'[' if depth < MAX_DEPTH => {
                let inner = self.array(Vec::new(), depth + 1)?;
                array.known = array.known.max(inner.known);
                if inner.holds > Elements::Scalars {
                    array.holds = Elements::Objects;
                    array.containers.extend(inner.containers);
                } else {
                    array.holds = array.holds.max(Elements::Arrays);
                }
            }
            b'"' if array.names.len() <= MAX_COLUMNS => {
                array.holds = array.holds.max(Elements::Scalars);
                let name = serde_json::from_slice(self.scanner.element()?.text).unwrap_or_default();
                array.known += self.known(std::slice::from_ref(&name));
                array.names.push(name);
            }
            b'}' => return Err(malformed(self.scanner.line())),
            _ => {
                let is_deep = matches!(opens, b'{' | b'[');
                array.holds = array.holds.max(if is_deep { Elements::Objects } else { Elements::Scalars });
                self.scanner.skip_value()?;
            }
        }
        Ok(())
    }
}

impl<R> ContainerSearch<'_, R> {
    /// The number of column names among `names`.
    fn known(&mut self, names: &[String]) -> usize {
        names.iter().filter(|name| self.is_column_name(name)).count()
    }

    fn is_column_name(&mut self, name: &str) -> bool {
        if let Some(known) = self.remembered.get(name) {
            return *known;
        }
        let can_be_remembered = self.remembered.len() < MAX_REMEMBERED && name.len() <= MAX_NAME_BYTES;
        let known = can_be_remembered && (self.is_known)(name);
        if can_be_remembered {
            self.remembered.insert(name.to_owned(), known);
        }
        known
    }

    /// The containers in one of several values. An object is a row unless it has no columns and only one list.
    fn choose_among(&mut self, offset: u64, profile: ObjectProfile) -> Containers {
        if profile.resource != ResourceKind::None || !profile.bundle.is_empty() {
            return containers_of_resource(offset, profile);
        }
        if !profile.arrays.iter().any(ArrayProfile::looks_like_rows) {
            return Containers::new();
        }
        let known = self.known(&profile.names);
        let may_hold = |array: &ArrayProfile| {
            array.looks_like_rows() && (known == 0 || (known < KNOWN_NAMES_OF_A_ROW && array.is_named()))
        };
        let mut lists = profile.arrays.into_iter().filter(may_hold);
        match (lists.next(), lists.next()) {
            (Some(list), None) => [offset].into_iter().chain(list.containers).collect(),
            _ => Containers::new(),
        }
    }

    /// The containers of a text that is one object, and the column names of a list of arrays.
    fn choose_alone(
        &mut self,
        offset: u64,
        mut profile: ObjectProfile,
    ) -> Result<(Containers, Option<Vec<String>>), ListError> {
        if profile.resource != ResourceKind::None || !profile.bundle.is_empty() {
            return Ok((containers_of_resource(offset, profile), None));
        }
        let known = self.known(&profile.names);
        let keys: Vec<String> = profile.arrays.iter().map(|array| array.path.join("_")).collect();
        let has_rows = profile.arrays.iter().any(|array| array.holds >= Elements::Arrays);
        if !has_rows && known < KNOWN_NAMES_OF_A_ROW && self.known(&keys) >= KNOWN_NAMES_OF_A_ROW {
            // `{"first_name": ["Ana", "Ben"], "phone": […]}`: a column in each array, or a row with several values.
            return Err(ListError::SeveralLists { keys });
        }
        let Some(chosen) = choose_array(&profile.arrays, known)? else { return Ok((Containers::new(), None)) };
        let list = profile.arrays.swap_remove(chosen);
        let is_header =
            |array: &&ArrayProfile| array.holds == Elements::Scalars && HEADER_NAMES.contains(&array.key().as_str());
        let header = profile.arrays.iter().find(is_header).filter(|_| list.holds == Elements::Arrays);
        let header = header.map(|array| array.names.clone());
        Ok(([offset].into_iter().chain(list.containers).collect(), header))
    }
}

/// The array that is the list; `None` if the object is a row itself. `known` is the number of its own column names.
fn choose_array(arrays: &[ArrayProfile], known: usize) -> Result<Option<usize>, ListError> {
    let at = |wanted: &dyn Fn(&ArrayProfile) -> bool| -> Vec<usize> {
        arrays.iter().enumerate().filter(|(_, array)| wanted(array)).map(|(at, _)| at).collect()
    };
    let is_list = |array: &ArrayProfile| array.looks_like_rows() || array.key() == LIST_NAMES[0];
    if let [only] = at(&|array| array.is_named() && is_list(array))[..] {
        return Ok(Some(only));
    }
    let rows = at(&|array| array.holds >= Elements::Arrays);
    let rows_are_missing = rows.is_empty();
    let candidates = if rows_are_missing { at(&|_| true) } else { rows };
    let largest = candidates.iter().map(|at| arrays[*at].known).max().unwrap_or(0);
    let is_row = known >= KNOWN_NAMES_OF_A_ROW && known > largest;
    let named: Vec<usize> = candidates.iter().copied().filter(|at| arrays[*at].is_named()).collect();
    match (candidates.as_slice(), named.as_slice()) {
        ([], _) => Ok(None),
        _ if is_row || (known > 0 && rows_are_missing) => Ok(None),
        ([only], _) | (_, [only]) if known < KNOWN_NAMES_OF_A_ROW => Ok(Some(*only)),
        _ => Err(ListError::SeveralLists { keys: candidates.iter().map(|at| arrays[*at].path.join(".")).collect() }),
    }
}

/// The containers in a FHIR resource, or in an entry with a Bundle.
fn containers_of_resource(offset: u64, profile: ObjectProfile) -> Containers {
    let inner = match profile.resource {
        // A row, which is then rejected.
        ResourceKind::Container(_) if profile.has_odd_entries => return Containers::new(),
        ResourceKind::Container(key) => {
            let list = profile.arrays.into_iter().find(|array| array.path == [key]);
            list.map(|array| array.containers).unwrap_or_default()
        }
        ResourceKind::None => profile.bundle,
        ResourceKind::Other => return Containers::new(),
    };
    [offset].into_iter().chain(inner).collect()
}

/// The next key of the object that the scanner is in; `None` at its end.
pub(super) fn next_key<R: BufRead>(scanner: &mut JsonScanner<R>) -> Result<Option<String>, ListError> {
    let line = scanner.line();
    match scanner.skip_to_value(b",")? {
        Some(b'"') => serde_json::from_slice(scanner.element()?.text).map(Some).map_err(|_| malformed(line)),
        Some(b'}') => {
            scanner.skip(b'}');
            Ok(None)
        }
        Some(_) => Err(malformed(line)),
        None => Err(unfinished(line)),
    }
}

pub(super) fn malformed(line: u64) -> ListError {
    ListError::Malformed { line, what: "not well-formed JSON" }
}

fn unfinished(line: u64) -> ListError {
    ListError::Malformed { line, what: "the array never ends" }
}

impl From<JsonError> for ListError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::Io(error) => error.into(),
            JsonError::Unfinished(line) => Self::Malformed { line, what: "starts a JSON value that never ends" },
            JsonError::Mismatched(line) => malformed(line),
        }
    }
}
