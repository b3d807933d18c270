//! The short way for plain templates: text, `{{ column }}` with `date` or `default`, `{% if column %}…{% endif %}`, and
//! nothing else. Most messages are no more than that, and a list may have a million of them.
//!
//! The engine has the last word: whatever is not quite plain in a template, or in a row, is left to it, every error among
//! it. A test compares the two.

use std::borrow::Cow;
use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};

use super::filters::{DATE_FORMAT, iso_date};
use super::row::Row;

/// More parts than a plain message has: the engine's bounds on its work are far from here.
const MOST_PARTS: usize = 200;

/// Names that are words of the language.
const RESERVED: [&str; 14] =
    ["true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if", "loop", "self"];

/// A plain template.
pub(super) struct Plain(Vec<Part>);

enum Part {
    Text(String),
    Said { name: String, filters: Vec<Filter> },
    If { name: String, then: Vec<Part> },
}

enum Filter {
    Date(Vec<Item<'static>>),
    Default(String),
}

impl Plain {
    /// The template, if it is plain.
    pub(super) fn of(source: &str) -> Option<Self> {
        if source.matches('{').count() > MOST_PARTS {
            return None;
        }
        let (parts, rest) = parts(source)?;
        rest.is_empty().then_some(Self(parts))
    }

    /// The text for a row, not tidy yet, if the row holds nothing but what is plain.
    pub(super) fn text(&self, row: &Row) -> Option<String> {
        let mut text = String::with_capacity(super::MAX_CHARS);
        say(&self.0, row, &mut text)?;
        Some(text)
    }
}

/// The parts up to an `endif` or the end, and what comes after.
fn parts(source: &str) -> Option<(Vec<Part>, &str)> {
    let mut parts = Vec::new();
    let mut rest = source;
    while let Some(open) = rest.find('{') {
        let (text, tag) = rest.split_at(open);
        parts.push(Part::Text(text.to_owned()));
        if let Some(tag) = tag.strip_prefix("{{") {
            let (said, after) = tag.split_once("}}")?;
            parts.push(said_of(said)?);
            rest = after;
        } else if let Some(tag) = tag.strip_prefix("{%") {
            let (word, after) = tag.split_once("%}")?;
            if word.trim() == "endif" {
                return Some((parts, tag));
            }
            let name = name_of(word.trim_start().strip_prefix("if ")?)?;
            let (then, ended) = self::parts(after)?;
            parts.push(Part::If { name, then });
            rest = ended.split_once("%}")?.1;
        } else {
            return None;
        }
    }
    parts.push(Part::Text(rest.to_owned()));
    Some((parts, ""))
}

/// `preference | default('any time')`
fn said_of(expression: &str) -> Option<Part> {
    let mut steps = expression.split('|');
    let name = name_of(steps.next()?)?;
    Some(Part::Said { name, filters: steps.map(filter_of).collect::<Option<_>>()? })
}

fn name_of(word: &str) -> Option<String> {
    let word = word.trim();
    let is_word = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !RESERVED.contains(&part)
    };
    (word.split('.').count() <= 2 && word.split('.').all(is_word)).then(|| word.to_owned())
}

fn filter_of(step: &str) -> Option<Filter> {
    let step = step.trim();
    if step == "date" {
        return Some(Filter::Date(items(DATE_FORMAT)?));
    }
    let (name, argument) = step.strip_suffix(')')?.split_once('(')?;
    let quote = argument.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let text = argument.strip_prefix(quote)?.strip_suffix(quote)?;
    match name {
        _ if text.contains([quote, '\\']) => None,
        "date" => Some(Filter::Date(items(text)?)),
        "default" => Some(Filter::Default(text.to_owned())),
        _ => None,
    }
}

fn items(format: &str) -> Option<Vec<Item<'static>>> {
    StrftimeItems::new(format).parse_to_owned().ok()
}

fn say(parts: &[Part], row: &Row, text: &mut String) -> Option<()> {
    for part in parts {
        match part {
            Part::Text(same) => text.push_str(same),
            Part::Said { name, filters } => {
                let value = filters.iter().try_fold(row.text(name)?, |value, filter| filter.apply(value))?;
                text.push_str(&value);
            }
            Part::If { name, then } if !row.text(name)?.is_empty() => say(then, row, text)?,
            Part::If { .. } => {}
        }
    }
    Some(())
}

impl Filter {
    fn apply<'v>(&'v self, value: Cow<'v, str>) -> Option<Cow<'v, str>> {
        match self {
            Self::Default(other) if value.trim().is_empty() => Some(other.into()),
            Self::Default(_) => Some(value),
            Self::Date(items) => {
                let mut written = String::new();
                write!(written, "{}", iso_date(value.trim())?.format_with_items(items.iter())).ok()?;
                Some(written.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use minijinja::context;
    use proptest::prelude::*;

    use super::super::{Cells, Columns, Template};
    use super::*;

    const NAMES: [&str; 4] = ["first_name", "due", "notes", "none"];

    fn row(cells: &[&str]) -> Row {
        let columns = Columns::new(NAMES.map(String::from));
        let shared = [("practice", context! { name => "Bright  Smile", lines => vec!["x"] })];
        let row = Row::new(Arc::new(columns), cells.iter().collect::<Cells>(), Arc::new(shared));
        row.with("household", vec!["Ben"]).with("household_names", "Ben and Cai")
    }

    /// Whether both ways agree; whether the short one was taken.
    fn compare(source: &str, cells: &[&str]) -> bool {
        let Ok(template) = Template::compile("context", source) else { return false };
        let row = row(cells);
        let short = template.shortly(&row);
        if let Some(short) = &short {
            assert_eq!(Ok(short), template.by_engine(&row.into()).as_ref(), "{source}");
        }
        short.is_some()
    }

    #[test]
    fn the_demonstrations_context_is_plain() {
        let context = "{{ first_name }} is due{% if due %}; last {{ due | date('%B %Y') }}{% endif %}. \
                       Prefers {{ notes | default('any time') }}. {% if household_names %}Also {{ household_names }}.{% endif %}";
        assert!(compare(context, &["Ana", "2026-06-11", "", ""]));
        assert!(compare(context, &["Ana", "", "mornings", ""]));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_engine() {
        for source in [
            "{{ none }}",
            "{{ missing }}",
            "{{ practice }}",
            "{{ practice.lines }}",
            "{{ household }}",
            "{{ due | time }}",
            "{{ notes | date }}",
            "{{ due | date('%H') }}",
            "{{- first_name }}",
            "{% if due %}x{% else %}y{% endif %}",
            "{% if not due %}x{% endif %}",
            "{# a comment #}",
            "{{ notes | default(first_name) }}",
        ] {
            assert!(!compare(source, &["Ana", "2026-06-11", "soon", "x"]), "{source}");
        }
    }

    /// A piece of a template: plain ones, and such as look like it.
    fn piece() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "first_name",
            "due",
            "notes",
            "none",
            "practice.name",
            "household_names",
            "household",
            "missing",
            "due.x",
        ]);
        let filter = prop::sample::select(vec![
            "",
            "|date",
            " | date('%B %Y')",
            "| date(\"%A\")",
            "|default('a  b')",
            "| default(\"it's\")",
            "|upper",
            "| default('|')",
            "| default('}}')",
            "|date('%H')",
            "| d('x')",
            "|default('\\n')",
            "| date | default('x')",
            "| default('2026-01-02') | date",
            "|default()",
        ]);
        let said = (name.clone(), filter).prop_map(|(name, filter)| format!("{{{{ {name} {filter} }}}}"));
        let open = prop::sample::select(vec!["{% if ", "{%if ", "{%- if ", "{% if not ", "{% if\n"]);
        let condition =
            (open, name, "[ a-z]{0,5}").prop_map(|(open, name, then)| format!("{open}{name} %}}{then}{{% endif %}}"));
        let other = prop::sample::select(vec![
            " ",
            "\n",
            "Hello,  ",
            "{",
            "}",
            "{ x",
            "%}",
            "{# no #}",
            "{% raw %}{{ due }}{% endraw %}",
            "{{ 'x' }}",
            "{{ due }}",
            "\u{a0}",
            "{% if due %}",
            "{% endif %}",
            "{%endif%}",
            "{% else %}",
            "{{ true }}",
            "-",
        ]);
        prop_oneof![3 => said, 2 => condition, 3 => other.prop_map(String::from)]
    }

    fn cell() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "",
            " ",
            "Ana",
            "Zoë  B",
            "2026-06-11",
            " 2026-06-11 ",
            "2026-6-1",
            "2026-06-31",
            "2026-06-11T10:00:00",
            "0",
            "false",
            "{{ due }}",
            "a\u{a0}\tb\n",
            "'",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_short_way_says_what_the_engine_says(
            pieces in prop::collection::vec(piece(), 1..8), cells in [cell(), cell(), cell(), cell()]
        ) {
            compare(&pieces.concat(), &cells);
        }
    }
}
