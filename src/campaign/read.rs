//! From TOML to the file twin: every value is read on its own, so that one bad value hides no other.
//!
//! A table reads its own keys and reports those it does not know; a value reports what it wanted instead. What could not
//! be read is left out of the twin and has its problem in the [`Reader`].

use std::ops::Range;

use schemars::{Schema, SchemaGenerator};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problem::Problem;
use crate::nearest::nearest;

/// Something that can be written in a campaign file.
pub(super) trait Written: Sized {
    /// Reads it, or tells the reader why not.
    fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self>;

    /// This, where both are written: a table takes from `below` what it does not have itself.
    fn over(self, below: Self) -> Self {
        let _ = below;
        self
    }

    /// Adds the keys below it, each with the path of its table.
    fn keys(path: &str, keys: &mut Vec<(String, &'static str)>) {
        let _ = (path, keys);
    }

    /// What may be written, as a JSON Schema.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

/// A value, and where the file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// What is written.
    pub value: T,
    /// Where, in bytes; nowhere for what comes from the defaults.
    pub span: Option<Range<usize>>,
}

/// The value over the one below it, where both are written.
pub(super) fn over<T: Written>(above: Option<Placed<T>>, below: Option<Placed<T>>) -> Option<Placed<T>> {
    match (above, below) {
        (Some(above), Some(below)) => Some(Placed { value: above.value.over(below.value), span: above.span }),
        (above, below) => above.or(below),
    }
}

/// What a reader reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A campaign file: what is required must be there.
    Campaign,
    /// The defaults: nothing is required, and no place is kept.
    Defaults,
}

/// Reads a file and collects what is wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    kind: Kind,
    /// The keys on the way to the value being read.
    path: Vec<String>,
    /// Every key there is, with the path of its table.
    keys: Vec<(String, &'static str)>,
    pub(super) problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    /// A reader of `text`, which is written as a `T`.
    pub(super) fn new<T: Written>(text: &'t str, kind: Kind) -> Self {
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

    /// Reads the value of a key.
    pub(super) fn setting<T: Written>(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Option<Placed<T>> {
        self.path.push(key.get_ref().to_string());
        let read = self.placed(value);
        self.path.pop();
        read
    }

    /// Reads a value and keeps its place.
    pub(super) fn placed<T: Written>(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Placed<T>> {
        let span = (self.kind == Kind::Campaign).then(|| value.span());
        T::read(value, self).map(|value| Placed { value, span })
    }

    /// The entries of a table.
    pub(super) fn table<'v, 'i>(&mut self, value: &'v Spanned<DeValue<'i>>) -> Option<&'v DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wants(value, "a table");
        }
        table
    }

    /// A string.
    pub(super) fn text<'v>(&mut self, value: &'v Spanned<DeValue<'_>>, wanted: &str) -> Option<&'v str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wants(value, wanted);
        }
        text
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&mut self, value: &Spanned<DeValue<'_>>, words: &[(&'static str, T)]) -> Option<T> {
        let names = words.iter().map(|(word, _)| *word);
        let wanted = one_of(&names.clone().collect::<Vec<_>>());
        let text = self.text(value, &wanted)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
        if found.is_none() {
            self.wants(value, &wanted);
            if let Some(near) = nearest(text, names) {
                self.add_help(format!("did you mean \"{near}\"?"));
            }
        }
        found
    }

    /// Reports a value that is not what its key wants.
    pub(super) fn wants(&mut self, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let problem = Problem::new(value.span(), format!("`{}` wants {wanted}, not {}", self.key(), kind_of(value)));
        let forgot_quotes = wanted.contains('"') && !matches!(value.get_ref(), DeValue::String(_));
        self.problems.push(if forgot_quotes { problem.help("put it in quotes") } else { problem });
    }

    /// Adds how to mend the problem that was reported last.
    pub(super) fn add_help(&mut self, help: String) {
        if let Some(last) = self.problems.last_mut() {
            last.help = Some(help);
        }
    }

    /// Reports a key that its table does not know, and says where it belongs or what it may have meant.
    pub(super) fn unknown(&mut self, key: &Spanned<DeString<'_>>, known: &[&'static str]) {
        let name = key.get_ref().as_ref();
        let table = self.path.join(".");
        let place = if table.is_empty() { "at the top of the file".to_owned() } else { format!("in [{table}]") };
        let elsewhere: Vec<_> =
            self.keys.iter().filter(|(_, known)| *known == name).map(|(path, _)| called(path)).collect();
        let help = match (elsewhere.as_slice(), nearest(name, known.iter().copied())) {
            ([], Some(near)) => format!("did you mean `{near}`?"),
            ([], None) => format!("known here: {}", known.join(", ")),
            (tables, _) => format!("`{name}` belongs {}", tables.join(" or ")),
        };
        self.problems.push(Problem::new(key.span(), format!("there is no key `{name}` {place}")).help(help));
    }

    /// Reports what a table must have and does not.
    pub(super) fn missing(&mut self, table: Range<usize>, key: &str, line: &str) {
        if self.kind == Kind::Defaults {
            return;
        }
        let path = self.path.iter().map(String::as_str).chain([key]).collect::<Vec<_>>().join(".");
        self.problems.push(Problem::new(table, format!("`{path}` is missing")).help(format!("add the line: {line}")));
    }
}

fn called(path: &str) -> String {
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

/// What stands there instead, in words.
fn kind_of(value: &Spanned<DeValue<'_>>) -> String {
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

/// Defines tables of the file: for each key its documentation, what it wants, and, if it is required, the line to add.
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
            $($(#[doc = $doc])+ pub $key: Option<Placed<$kind>>,)*
        }

        impl $table {
            const KEYS: &'static [&'static str] = &[$(stringify!($key)),*];
            const REQUIRED: &'static [(&'static str, &'static str)] = &[$($((stringify!($key), $line),)?)*];

            /// Reads the entries of a table whose header stands at `header`.
            pub(super) fn of(entries: &DeTable<'_>, header: &Range<usize>, reader: &mut Reader<'_>) -> Self {
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

        impl Written for $table {
            fn read(value: &Spanned<DeValue<'_>>, reader: &mut Reader<'_>) -> Option<Self> {
                let entries = reader.table(value)?;
                Some(Self::of(entries, &value.span(), reader))
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
