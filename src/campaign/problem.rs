//! What is wrong with a campaign file: every problem at once, each with its place and the way to mend it.
//!
//! A campaign file holds no patient's data, so a problem may quote it.

use std::fmt;
use std::ops::Range;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode, SourceSpan,
};

use crate::visible;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Where, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong, in words.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
}

impl Problem {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl Diagnostic for Problem {
    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new_with_span(None, SourceSpan::from(self.span.clone()));
        Some(Box::new(std::iter::once(label)))
    }
}

/// Everything that is wrong with one file, in the order of the file; never empty.
///
/// `Display` gives one line for each; [`Problems::drawn`] shows each in its place; and being a [`Diagnostic`], it can be
/// shown in any other way that miette knows.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.lines().collect::<Vec<_>>().join("\n"))]
pub struct Problems {
    file: NamedSource<String>,
    list: Vec<Problem>,
}

impl Problems {
    /// Sorts the problems of a file by place. `file_name` is what people call the file.
    #[must_use]
    pub fn new(file_name: &str, text: &str, mut list: Vec<Problem>) -> Self {
        list.sort_by_key(|a| (a.span.start, a.span.end));
        list.dedup();
        for problem in &mut list {
            problem.message = visible::value(&problem.message).into_owned();
            problem.help = problem.help.take().map(|help| visible::text(&help).into_owned());
        }
        let name = visible::value(file_name).into_owned();
        Self { file: NamedSource::new(name, visible::in_place(text).into_owned()), list }
    }

    /// Each problem, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.list.iter()
    }

    /// Each problem in one line: `campaigns/recall.toml:12:5: what is wrong (how to mend it)`.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.iter().map(|problem| {
            let (line, column) = position(self.file.inner(), problem.span.start);
            let help = problem.help.as_ref().map(|help| format!(" ({})", help.replace('\n', ", "))).unwrap_or_default();
            format!("{}:{line}:{column}: {}{help}", self.file.name(), problem.message)
        })
    }

    /// The problems as people read them on a terminal, each with the line of the file and a mark under the place.
    #[must_use]
    pub fn drawn(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        let mut drawn = String::new();
        let written =
            self.iter().try_for_each(|problem| handler.render_report(&mut drawn, &InFile(problem, &self.file)));
        // A place that cannot be drawn still has its line of text.
        if written.is_ok() { drawn } else { self.to_string() }
    }
}

/// A problem together with its file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct InFile<'a>(&'a Problem, &'a NamedSource<String>);

impl Diagnostic for InFile<'_> {
    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Diagnostic::help(self.0)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.1)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

impl<'a> IntoIterator for &'a Problems {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The whole file's diagnostic; the problems themselves are its related ones.
impl Diagnostic for Problems {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.list.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// Line and column of a place, in characters, counted from 1.
#[must_use]
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
