//! What is wrong with a template, and why a row could not be rendered. Neither ever repeats a value: the engine's own
//! words are used for the syntax only, where they speak of the template's text.

use std::fmt;
use std::ops::Range;

use minijinja::{Environment, Error, ErrorKind, Value};

use super::filters::{self, Refusal};
use super::scan::{self, Kind, Token};
use crate::nearest::nearest;

/// What is wrong with a template, whatever the row.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {what}{}", Bracketed(self.help.as_deref()))]
pub struct TemplateProblem {
    /// In words.
    pub what: String,
    /// How to mend it.
    pub help: Option<String>,
    /// Where, in bytes of the template.
    pub span: Range<usize>,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
}

struct Bracketed<'a>(Option<&'a str>);

impl fmt::Display for Bracketed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl TemplateProblem {
    fn at(source: &str, span: Range<usize>, what: String, help: Option<String>) -> Self {
        let before = &source[..span.start];
        let column = super::chars(before.rsplit('\n').next().unwrap_or_default()) + 1;
        Self { what, help, line: line_at(source, span.start), column, span }
    }
}

/// Why a row could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}, line {line}: {cause}")]
pub struct RenderProblem {
    /// The template's name.
    pub template: String,
    /// What happened.
    pub cause: Cause,
    /// The template's line, counted from 1.
    pub line: usize,
}

/// What happened while a row was rendered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Cause {
    /// The row has nothing of that name.
    #[error("the list has no `{variable}`")]
    Undefined {
        /// As far as it does not exist: `appointment`, or `practice.nmae`.
        variable: String,
    },
    /// A filter cannot do anything with what it was given.
    #[error("`{filter}`: {refusal}")]
    Filter {
        /// The filter.
        filter: &'static str,
        /// Why not.
        refusal: &'static str,
    },
    /// A list, an object or nothing at all stands where text should.
    #[error("only text and numbers can be said: name one part of a list or object")]
    NotText,
    /// The template does more work than a message needs.
    #[error("it works too long: is there a loop in a loop?")]
    TooLong,
    /// The engine could not carry it out.
    #[error("{0}")]
    Other(&'static str),
}

/// The problem that the engine found while it read the template.
pub(super) fn of_syntax(source: &str, error: &Error) -> TemplateProblem {
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let line = error.line().unwrap_or(1);
    TemplateProblem::at(source, culprit(source, line), what, None)
}

/// The first tag on the line that cannot be read by itself, else the line.
fn culprit(source: &str, line: usize) -> Range<usize> {
    let whole = line_span(source, line);
    let tokens = scan::tokens(source);
    let tags = tokens.split_inclusive(|token| token.kind == Kind::Close);
    let mut on_line =
        tags.filter_map(span_of).filter(|tag| tag.start < whole.end.max(whole.start + 1) && tag.end > whole.start);
    on_line.find(|tag| is_broken(&source[tag.clone()])).unwrap_or(whole)
}

fn span_of(tokens: &[Token<'_>]) -> Option<Range<usize>> {
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

/// Names that nothing answers to, and formats that cannot be understood.
pub(super) fn of_words(source: &str) -> Vec<TemplateProblem> {
    let tokens = scan::tokens(source);
    let mut problems = Vec::new();
    for (filter, argument) in scan::filters(&tokens) {
        problems.extend(of_filter(source, &filter, argument));
    }
    for test in scan::tests(&tokens).into_iter().filter(|test| !filters::TESTS.contains(&test.text)) {
        let what = format!("there is no test `{}`", test.text);
        let help = format!("there are {}", filters::TESTS.join(", "));
        problems.push(TemplateProblem::at(source, test.span(), what, Some(help)));
    }
    for call in scan::calls(&tokens) {
        let what = format!("`{}(…)` is a call, and templates call nothing", call.text);
        let help = Some("use a filter: {{ first_name | upper }}".to_owned());
        problems.push(TemplateProblem::at(source, call.span(), what, help));
    }
    problems.sort_by_key(|problem| problem.span.start);
    problems
}

fn of_filter(source: &str, filter: &Token<'_>, argument: Option<&Token<'_>>) -> Option<TemplateProblem> {
    if !filters::FILTERS.contains(&filter.text) {
        let what = format!("there is no filter `{}`", filter.text);
        let help = match nearest(filter.text, filters::FILTERS.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("there are {}", filters::FILTERS.join(", ")),
        };
        return Some(TemplateProblem::at(source, filter.span(), what, Some(help)));
    }
    let format = argument.filter(|_| filter.text == "date")?;
    let text = format.text.trim_matches(['\'', '"']);
    let refusal = filters::check_format(text).err()?;
    let help = Some("%A, %B %-d, %Y makes Tuesday, November 24, 2026".to_owned());
    Some(TemplateProblem::at(source, format.span(), format!("`date`: {refusal}"), help))
}

/// The problem that the engine met while it rendered a row.
pub(super) fn of_rendering(name: &str, source: &str, error: &Error, variables: &Value) -> RenderProblem {
    let line = error.line().unwrap_or(1);
    RenderProblem { template: name.to_owned(), cause: cause(source, error, line, variables), line }
}

fn cause(source: &str, error: &Error, line: usize, variables: &Value) -> Cause {
    if let Some(refusal) = refusal(error) {
        return match refusal.filter {
            filters::INSERT => Cause::NotText,
            filter => Cause::Filter { filter, refusal: refusal.what },
        };
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "the engine may add kinds, and each has a description")]
    match error.kind() {
        ErrorKind::OutOfFuel => Cause::TooLong,
        ErrorKind::UndefinedError => undefined(source, line, variables)
            .map_or(Cause::Other("something it uses does not exist"), |variable| Cause::Undefined { variable }),
        ErrorKind::TooManyArguments => Cause::Other("a filter is given too much"),
        ErrorKind::MissingArgument => Cause::Other("a filter is given too little"),
        _ => Cause::Other("a filter or operator cannot do anything with what this row holds"),
    }
}

fn refusal(error: &Error) -> Option<&Refusal> {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(refusal) = error.downcast_ref() {
            return Some(refusal);
        }
        source = error.source();
    }
    None
}

/// The first variable of the line, or else of the template, that does not exist and has no default.
fn undefined(source: &str, line: usize, variables: &Value) -> Option<String> {
    let environment = Environment::empty();
    let own = environment.template_from_str(source).ok()?.undeclared_variables(true);
    let bare = scan::bare_variables(&scan::tokens(source));
    let candidates = bare.into_iter().filter(|(path, _)| own.contains(path));
    let mut missing: Vec<_> = candidates.filter_map(|(path, at)| Some((missing_part(&path, variables)?, at))).collect();
    missing.sort_by_key(|(_, at)| (line_at(source, at.start) != line, at.start));
    missing.into_iter().next().map(|(path, _)| path)
}

/// As much of a path as it takes to reach something that does not exist.
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
    use crate::template::Template;

    /// The problems of a template, each with the text that it points at.
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
    fn every_unknown_word_is_reported_with_its_place_and_the_nearest_known_one() {
        let source =
            "é {{ a | uper }}\n{{ b | default('x') | frobnicate_it }}{% if c is defind %}{{ now() }}{% endif %}";
        let found = problems(source);
        let pointed_at: Vec<_> = found.iter().map(|(_, text)| *text).collect();
        assert_eq!(pointed_at, ["uper", "frobnicate_it", "defind", "now"]);
        assert_eq!(found[0].0, "line 1, column 10: there is no filter `uper` (did you mean `upper`?)");
        assert!(found[1].0.starts_with("line 2, column 23: there is no filter `frobnicate_it` (there are date, "));
    }

    #[test]
    fn a_date_format_that_nobody_understands_is_found_without_a_row() {
        let found = problems("{{ due | date('%B %Q') }}");
        assert_eq!(found[0].1, "'%B %Q'");
        assert_eq!(problems("{{ due | date('%H:%M') }}").len(), 1, "a date has no hour");
    }
}
