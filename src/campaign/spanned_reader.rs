//! Reads TOML into the tables of `file`. Every value is read on its own, so one bad value does not hide another.
//!
//! A table reads its keys and reports unknown ones; a value that cannot be read reports what its key expects. Such a
//! value is left out of the table, and its problem is in the [`SpannedReader`].

use std::ops::Range;

use schemars::{Schema, SchemaGenerator};
use toml::de::{DeString, DeTable, DeValue};

use super::diagnostics::Diagnostic;
use crate::did_you_mean::nearest;

/// A value or table of a campaign file.
pub(super) trait RawValue: Sized {
    /// Reads it, or reports the problem to the reader and returns `None`.
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self>;

    /// Lays this value over `below`: it replaces a value; a table takes from `below` the keys that it lacks.
    fn over(self, below: Self) -> Self {
        let _ = below;
        self
    }

    /// Adds the keys of this table and of the tables within it, each with the path of its table.
    fn keys(path: &str, keys: &mut Vec<(String, &'static str)>) {
        let _ = (path, keys);
    }

    /// The JSON Schema of what may be written.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// A value and its position in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The position, in bytes; `None` for a default.
    pub span: Option<Range<usize>>,
}

/// The value without its position.
pub(super) fn unspanned<T>(spanned: Option<Spanned<T>>) -> Option<T> {
    spanned.map(|spanned| spanned.value)
}

/// Lays `above` over `below`. The position is the one of `above`, if it is present.
pub(super) fn over<T: RawValue>(above: Option<Spanned<T>>, below: Option<Spanned<T>>) -> Option<Spanned<T>> {
    match (above, below) {
        (Some(above), Some(below)) => Some(Spanned { value: above.value.over(below.value), span: above.span }),
        (above, below) => above.or(below),
    }
}

/// The kind of file that a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A campaign file: required keys must be present.
    Campaign,
    /// The defaults: no key is required, and positions are not kept.
    Defaults,
}

/// Reads a file and collects its problems.
pub(super) struct SpannedReader<'t> {
    text: &'t str,
    kind: FileKind,
    /// The keys on the way to the value being read.
    path: Vec<String>,
    /// Every known key, with the path of its table.
    keys: Vec<(String, &'static str)>,
    pub(super) problems: Vec<Diagnostic>,
}

impl<'t> SpannedReader<'t> {
    /// A reader of `text`, whose top-level table is `T`.
    pub(super) fn new<T: RawValue>(text: &'t str, kind: FileKind) -> Self {
        let mut keys = Vec::new();
        T::keys("", &mut keys);
        Self { text, kind, path: Vec::new(), keys, problems: Vec::new() }
    }

    /// The file's text at `span`.
    pub(super) fn literal(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// The last key on the way to the value being read.
    pub(super) fn key(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Reads a key's value and keeps its position.
    pub(super) fn setting<T: RawValue>(
        &mut self,
        key: &toml::Spanned<DeString<'_>>,
        value: &toml::Spanned<DeValue<'_>>,
    ) -> Option<Spanned<T>> {
        self.path.push(key.get_ref().to_string());
        let read = self.spanned(value);
        self.path.pop();
        read
    }

    /// Reads a value and keeps its position.
    pub(super) fn spanned<T: RawValue>(&mut self, value: &toml::Spanned<DeValue<'_>>) -> Option<Spanned<T>> {
        let span = (self.kind == FileKind::Campaign).then(|| value.span());
        T::read(value, self).map(|value| Spanned { value, span })
    }

    /// The entries of a table; reports any other value.
    pub(super) fn table<'v, 'i>(&mut self, value: &'v toml::Spanned<DeValue<'i>>) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.must_be(value, "a table");
        }
        table
    }

    /// The text of a string; reports any other value.
    pub(super) fn text<'v>(&mut self, value: &'v toml::Spanned<DeValue<'_>>, wanted: &str) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.must_be(value, wanted);
        }
        text
    }

    /// The meaning of one of `words`; reports any other text, with the nearest word.
    pub(super) fn word<T: Copy>(
        &mut self,
        value: &toml::Spanned<DeValue<'_>>,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let names = words.iter().map(|(word, _)| *word);
        let wanted = one_of(&names.clone().collect::<Vec<_>>());
        let text = self.text(value, &wanted)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            self.must_be(value, &wanted);
            if let Some(near) = nearest(text, names) {
                self.add_help(format!("did you mean \"{near}\"?"));
            }
        }
        found
    }

    /// Reports a value that is not what its key expects.
    pub(super) fn must_be(&mut self, value: &toml::Spanned<DeValue<'_>>, wanted: &str) {
        let problem =
            Diagnostic::new(value.span(), format!("`{}` must be {wanted}, not {}", self.key(), kind_of(value)));
        let forgot_quotes = wanted.contains('"') && !matches!(value.get_ref(), DeValue::String(_));
        self.problems.push(if forgot_quotes { problem.help("put it in quotes") } else { problem });
    }

    /// Sets the fix of the problem that was reported last.
    pub(super) fn add_help(&mut self, help: String) {
        if let Some(last) = self.problems.last_mut() {
            last.help = Some(help);
        }
    }

    /// Reports an unknown key, with the tables that have such a key or the nearest key of this table.
    pub(super) fn unknown(&mut self, key: &toml::Spanned<DeString<'_>>, known: &[&'static str]) {
        let name = key.get_ref().as_ref();
        let table = self.path.join(".");
        let here = if table.is_empty() { "at the top of the file".to_owned() } else { format!("in [{table}]") };
        let elsewhere: Vec<_> =
            self.keys.iter().filter(|(_, known)| *known == name).map(|(path, _)| table_name(path)).collect();
        let help = match (elsewhere.as_slice(), nearest(name, known.iter().copied())) {
            ([], Some(near)) => format!("did you mean `{near}`?"),
            ([], None) => format!("known here: {}", known.join(", ")),
            (tables, _) => format!("`{name}` belongs {}", tables.join(" or ")),
        };
        self.problems.push(Diagnostic::new(key.span(), format!("there is no key `{name}` {here}")).help(help));
    }

    /// Reports a required key that a table lacks.
    pub(super) fn missing(&mut self, table: Range<usize>, key: &str, line: &str) {
        if self.kind == FileKind::Defaults {
            return;
        }
        let path = self.path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
        self.problems
            .push(Diagnostic::new(table, format!("`{path}` is missing")).help(format!("add the line: {line}")));
    }
}

fn table_name(path: &str) -> String {
    if path.is_empty() { "at the top of the file, above the first table".to_owned() } else { format!("in [{path}]") }
}

/// `"a", "b" or "c"`.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}

/// The value as a message shows it: short values in full, others by their type.
fn kind_of(value: &toml::Spanned<DeValue<'_>>) -> String {
    match value.get_ref() {
        DeValue::String(text) => format!("{:?}", text.chars().take(40).collect::<String>()),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(truth) => truth.to_string(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Defines tables of the file: for each key its documentation, its type and, if it is required, the line to add.
macro_rules! tables {
    ($(
        $(#[doc = $about:literal])+
        $table:ident {
            $($(#[doc = $doc:literal])+ $key:ident: $kind:ty $(, required as $line:literal)?;)*
        }
    )*) => {$(
        $(#[doc = $about])+
        #[derive(Debug, Clone, Default)]
        pub struct $table {
            $($(#[doc = $doc])+ pub $key: Option<Spanned<$kind>>,)*
        }

        impl $table {
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
            const REQUIRED: &'static [(&'static str, &'static str)] = &[$($((stringify!($key), $line),)?)*];

            /// Reads the entries of a table. `header` is the position at which missing keys are reported.
            pub(super) fn from_table(entries: &DeTable<'_>, header: &Range<usize>, reader: &mut SpannedReader<'_>) -> Self {
                let mut table = Self::default();
                for (key, value) in entries {
                    match key.get_ref().as_ref() {
                        $(stringify!($key) => table.$key = reader.setting(key, value),)*
                        _ => reader.unknown(key, Self::KEYS),
                    }
                }
                for (key, line) in Self::REQUIRED.iter().filter(|(key, _)| !entries.contains_key(*key)) {
                    reader.missing(header.clone(), key, line);
                }
                table
            }
        }

        impl RawValue for $table {
            fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
                let entries = reader.table(value)?;
                Some(Self::from_table(entries, &value.span(), reader))
            }

            fn over(self, below: Self) -> Self {
                Self { $($key: over(self.$key, below.$key)),* }
            }

            fn keys(path: &str, keys: &mut Vec<(String, &'static str)>) {
                $(
                    keys.push((path.to_owned(), stringify!($key)));
                    let below = if path.is_empty() { stringify!($key).to_owned() } else { format!("{path}.{}", stringify!($key)) };
                    <$kind>::keys(&below, keys);
                )*
            }

            fn schema(generator: &mut SchemaGenerator) -> Schema {
                let mut properties = serde_json::Map::new();
                $(
                    let mut property = <$kind>::schema(generator);
                    property.insert("description".to_owned(), concat!($($doc, "\n"),+).lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().into());
                    properties.insert(stringify!($key).to_owned(), property.to_value());
                )*
                let required: Vec<_> = Self::REQUIRED.iter().map(|(key, _)| *key).collect();
                let mut schema = schemars::json_schema!({
                    "description": concat!($($about, "\n"),+).lines().map(str::trim).collect::<Vec<_>>().join(" ").trim(),
                    "type": "object",
                    "properties": properties,
                    "additionalProperties": false,
                });
                if !required.is_empty() {
                    schema.insert("required".to_owned(), required.into());
                }
                schema
            }
        }
    )*};
}

pub(super) use tables;
