//! The problems of a campaign file, each with its position and a fix. All problems are reported at once.
//!
//! A campaign file holds no patient's data, so a problem may quote it.

use std::fmt;
use std::ops::Range;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode, SourceSpan};

use crate::visible;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// The position, in bytes of the file.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
}

impl Diagnostic {
    pub(super) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: None }
    }

    /// The problem of a text that is not valid TOML.
    pub(super) fn from_syntax_error(error: &toml::de::Error) -> Self {
        let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
        Self::new(error.span().unwrap_or_default(), message)
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl miette::Diagnostic for Diagnostic {
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

/// The problems of one file, in the order of the file; never empty.
///
/// `Display` writes one line for each problem; [`Diagnostics::drawn`] draws each under its line of the file. As a
/// [`miette::Diagnostic`] it can be shown by any handler of miette.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.lines().collect::<Vec<_>>().join("\n"))]
pub struct Diagnostics {
    file: NamedSource<String>,
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts the problems of a file by position. `file_name` is the name shown to people.
    #[must_use]
    pub fn new(file_name: &str, text: &str, mut list: Vec<Diagnostic>) -> Self {
        list.sort_by_key(|a| (a.span.start, a.span.end));
        list.dedup();
        for problem in &mut list {
            problem.message = visible::value(&problem.message).into_owned();
            problem.help = problem.help.take().map(|help| visible::text(&help).into_owned());
        }
        let name = visible::value(file_name).into_owned();
        Self { file: NamedSource::new(name, visible::in_place(text).into_owned()), list }
    }

    /// The problems in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// One line for each problem: `campaigns/recall.toml:12:5: what is wrong (how to fix it)`.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.iter().map(|problem| {
            let (line, column) = position(self.file.inner(), problem.span.start);
            let help = problem.help.as_ref().map(|help| format!(" ({})", help.replace('\n', ", "))).unwrap_or_default();
            format!("{}:{line}:{column}: {}{help}", self.file.name(), problem.message)
        })
    }

    /// The problems drawn for a terminal, each with its line of the file and a mark under the position.
    #[must_use]
    pub fn drawn(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false);
        let mut drawn = String::new();
        let written = self
            .iter()
            .try_for_each(|problem| handler.render_report(&mut drawn, &DiagnosticInFile(problem, &self.file)));
        // If drawing fails, each problem still has its line of text.
        if written.is_ok() { drawn } else { self.to_string() }
    }
}

/// A problem together with its file.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct DiagnosticInFile<'a>(&'a Diagnostic, &'a NamedSource<String>);

impl miette::Diagnostic for DiagnosticInFile<'_> {
    fn severity(&self) -> Option<Severity> {
        self.0.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        miette::Diagnostic::help(self.0)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.1)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.labels()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// The whole file's diagnostic; the problems themselves are its related ones.
impl miette::Diagnostic for Diagnostics {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.list.iter().map(|problem| problem as &dyn miette::Diagnostic)))
    }
}

/// Line and column of byte `at`, in characters, counted from 1.
#[must_use]
pub(super) fn position(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
