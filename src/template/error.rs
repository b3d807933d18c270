//! Errors in a template, and errors while rendering a row. No error repeats a cell's value: minijinja's own messages
//! are used for syntax errors only, where they quote only the template's text.

use std::fmt;
use std::ops::Range;

use minijinja::{Environment, Error, ErrorKind, Value};

use super::filters::{self, FilterError};
use super::length;
use super::lexer::{self, TagToken, TokenKind};
use crate::did_you_mean::nearest;

/// An error in a template, independent of any row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}{}", Bracketed(self.help.as_deref()))]
pub struct TemplateError {
    /// The description of the error.
    pub what: String,
    /// How to correct it.
    pub help: Option<String>,
    /// The faulty part, as a byte range of the template.
    pub span: Range<usize>,
    /// The line on which `span` starts, counted from 1.
    pub line: usize,
    /// The column at which `span` starts, in characters, counted from 1.
    pub column: usize,
}

struct Bracketed<'a>(Option<&'a str>);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl TemplateError {
    fn at(source: &str, span: Range<usize>, what: String, help: Option<String>) -> Self {
        let before = &source[..span.start];
        let column = length::chars(before.rsplit('\n').next().unwrap_or_default()) + 1;
        Self { what, help, line: line_at(source, span.start), column, span }
    }
}

/// Why a row could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}, line {line}: {cause}")]
pub struct RenderError {
    /// The template's name.
    pub template: String,
    /// The cause.
    pub cause: RenderCause,
    /// The template's line, counted from 1.
    pub line: usize,
}

/// The cause of a [`RenderError`]. Its text is part of a row's reason in `check --json` and in rejects files, so it
/// must not change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RenderCause {
    /// The row has no variable of that name.
    #[error("the list has no `{variable}`")]
    Undefined {
        /// The name, up to the first attribute that does not exist: `appointment`, or `practice.nmae`.
        variable: String,
    },
    /// A filter does not accept its input.
    #[error("`{filter}`: {refusal}")]
    Filter {
        /// The filter's name.
        filter: &'static str,
        /// The reason.
        refusal: &'static str,
    },
    /// A tag inserts a list, an object or none.
    #[error("only text and numbers can be said: name one part of a list or object")]
    NotText,
    /// The rendering exceeds the fuel limit.
    #[error("it works too long: is there a loop in a loop?")]
    TooLong,
    /// Any other error of minijinja.
    #[error("{0}")]
    Other(&'static str),
}

/// The syntax error that minijinja found.
pub(super) fn syntax_error(source: &str, error: &Error) -> TemplateError {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let line = error.line().unwrap_or(1);
    TemplateError::at(source, faulty_tag(source, line), what, None)
}

/// The first tag on the line that does not compile by itself, or else the whole line.
fn faulty_tag(source: &str, line: usize) -> Range<usize> {
    let whole = line_span(source, line);
    let tokens = lexer::tokens(source);
    let tags = tokens.split_inclusive(|token| token.kind == TokenKind::Close);
    let mut on_line =
        tags.filter_map(span_of).filter(|tag| tag.start < whole.end.max(whole.start + 1) && tag.end > whole.start);
    on_line.find(|tag| is_broken(&source[tag.clone()])).unwrap_or(whole)
}

fn span_of(tokens: &[TagToken<'_>]) -> Option<Range<usize>> {
    Some(tokens.first()?.at..tokens.last()?.span().end)
}

fn is_broken(tag: &str) -> bool {
    tag.starts_with("{{") && Environment::empty().template_from_str(tag).is_err()
}

fn line_span(source: &str, line: usize) -> Range<usize> {
    let start = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let length = source[start..].split('\n').next().map_or(0, str::len);
    start..start + length
}

fn line_at(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

/// Unknown filters and tests, calls, and invalid date formats.
pub(super) fn unknown_names(source: &str) -> Vec<TemplateError> {
    let tokens = lexer::tokens(source);
    let mut problems = Vec::new();
    for (filter, argument) in lexer::filters(&tokens) {
        problems.extend(check_filter(source, &filter, argument));
    }
    for test in lexer::tests(&tokens).into_iter().filter(|test| !filters::TESTS.contains(&test.text)) {
        let what = format!("there is no test `{}`", test.text);
        let help = format!("there are {}", filters::TESTS.join(", "));
        problems.push(TemplateError::at(source, test.span(), what, Some(help)));
    }
    for call in lexer::calls(&tokens) {
        let what = format!("`{}(…)` is a function call, which templates do not support", call.text);
        let help = Some("use a filter: {{ first_name | upper }}".to_owned());
        problems.push(TemplateError::at(source, call.span(), what, help));
    }
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

fn check_filter(source: &str, filter: &TagToken<'_>, argument: Option<&TagToken<'_>>) -> Option<TemplateError> {
    if !filters::FILTERS.contains(&filter.text) {
        let what = format!("there is no filter `{}`", filter.text);
        let help = match nearest(filter.text, filters::FILTERS.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("there are {}", filters::FILTERS.join(", ")),
        };
        return Some(TemplateError::at(source, filter.span(), what, Some(help)));
    }
    let format = argument.filter(|_| filter.text == "date")?;
    let text = format.text.trim_matches(['\'', '"']);
    let refusal = filters::check_format(text).err()?;
    let help = Some("%A, %B %-d, %Y makes Tuesday, November 24, 2026".to_owned());
    Some(TemplateError::at(source, format.span(), format!("`date`: {refusal}"), help))
}

/// The error that minijinja met while it rendered a row.
pub(super) fn render_error(name: &str, source: &str, error: &Error, variables: &Value) -> RenderError {
    let line = error.line().unwrap_or(1);
    RenderError { template: name.to_owned(), cause: cause(source, error, line, variables), line }
}

fn cause(source: &str, error: &Error, line: usize, variables: &Value) -> RenderCause {
    if let Some(refusal) = filter_error(error) {
        return match refusal.filter {
            filters::INSERT => RenderCause::NotText,
            filter => RenderCause::Filter { filter, refusal: refusal.what },
        };
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "minijinja may add kinds")]
    match error.kind() {
        ErrorKind::OutOfFuel => RenderCause::TooLong,
        ErrorKind::UndefinedError => undefined(source, line, variables)
            .map_or(RenderCause::Other("something it uses does not exist"), |variable| RenderCause::Undefined {
                variable,
            }),
        ErrorKind::TooManyArguments => RenderCause::Other("a filter is given too much"),
        ErrorKind::MissingArgument => RenderCause::Other("a filter is given too little"),
        _ => RenderCause::Other("a filter or operator cannot do anything with what this row holds"),
    }
}

/// The filter's own error among the causes of `error`.
fn filter_error(error: &Error) -> Option<&FilterError> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(refusal) = error.downcast_ref() {
            return Some(refusal);
        }
        source = error.source();
    }
    None
}

/// The first variable on the line, or else in the template, that does not exist and has no default.
fn undefined(source: &str, line: usize, variables: &Value) -> Option<String> {
    let environment = Environment::empty();
    let undeclared = environment.template_from_str(source).ok()?.undeclared_variables(true);
    let unguarded = lexer::unguarded_variables(&lexer::tokens(source));
    let candidates = unguarded.into_iter().filter(|(path, _)| undeclared.contains(path));
    let mut missing: Vec<_> = candidates.filter_map(|(path, at)| Some((missing_part(&path, variables)?, at))).collect();
    missing.sort_by_key(|(_, at)| (line_at(source, at.start) != line, at.start));
    missing.into_iter().next().map(|(path, _)| path)
}

/// The path up to its first part that does not exist; `None` if all of it exists.
fn missing_part(path: &str, variables: &Value) -> Option<String> {
    let mut value = variables.clone();
    let mut end = 0;
    for part in path.split('.') {
        value = value.get_attr(part).unwrap_or_default();
        end += part.len();
        if value.is_undefined() {
            return Some(path[..end].to_owned());
        }
        end += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    /// Scripts compare these texts: they are part of the keys of `rejected` in `check --json`.
    #[test]
    fn the_causes_have_the_texts_that_scripts_know() {
        for (kind, text) in [
            (ErrorKind::OutOfFuel, "it works too long: is there a loop in a loop?"),
            (ErrorKind::UndefinedError, "something it uses does not exist"),
            (ErrorKind::TooManyArguments, "a filter is given too much"),
            (ErrorKind::MissingArgument, "a filter is given too little"),
            (ErrorKind::InvalidOperation, "a filter or operator cannot do anything with what this row holds"),
        ] {
            assert_eq!(cause("", &Error::from(kind), 1, &Value::UNDEFINED).to_string(), text);
        }
        assert_eq!(
            RenderCause::NotText.to_string(),
            "only text and numbers can be said: name one part of a list or object"
        );
        assert_eq!(RenderCause::Undefined { variable: "due".into() }.to_string(), "the list has no `due`");
        let refused = RenderCause::Filter { filter: "date", refusal: "not a format for dates" };
        assert_eq!(refused.to_string(), "`date`: not a format for dates");
    }

    /// The errors of a template, each with the text that its span covers.
    fn problems(source: &str) -> Vec<(String, &str)> {
        let problems = Template::compile("context", source).expect_err(source);
        problems.into_iter().map(|problem| (problem.to_string(), &source[problem.span.clone()])).collect()
    }

    #[test]
    fn a_syntax_error_points_at_its_tag_or_line() {
        for (source, pointed_at) in [
            ("{{ first_name }}, {{ due | }} {{ x }}", "{{ due | }}"),
            ("fine\n{{ a b }} rest", "{{ a b }}"),
            ("é {{ first_name", "{{ first_name"),
            ("{% if due %}never closed", "{% if due %}never closed"),
            ("one\ntwo {% fi %}\nthree", "two {% fi %}"),
        ] {
            let found = problems(source);
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!(found[0].1, pointed_at, "{found:?}");
        }
    }

    #[test]
    fn every_unknown_name_is_reported_with_its_position_and_the_nearest_known_one() {
        let source =
            "é {{ a | uper }}\n{{ b | default('x') | frobnicate_it }}{% if c is defind %}{{ now() }}{% endif %}";
        let found = problems(source);
        let pointed_at: Vec<_> = found.iter().map(|(_, text)| *text).collect();
        assert_eq!(pointed_at, ["uper", "frobnicate_it", "defind", "now"]);
        assert_eq!(found[0].0, "line 1, column 10: there is no filter `uper` (did you mean `upper`?)");
        assert!(found[1].0.starts_with("line 2, column 23: there is no filter `frobnicate_it` (there are date, "));
    }

    #[test]
    fn an_invalid_date_format_is_found_without_a_row() {
        let found = problems("{{ due | date('%B %Q') }}");
        assert_eq!(found[0].1, "'%B %Q'");
        assert_eq!(problems("{{ due | date('%H:%M') }}").len(), 1, "a date has no hour");
    }
}
