//! A template: text with `{{ … }}` and `{% … %}` that becomes one patient's message.
//!
//! The language is minijinja's (Jinja) in strict mode: an undefined variable is an error, never an empty string; only
//! text and numbers can be inserted; and a fuel limit bounds each rendering. A template is compiled once and rendered
//! for every row. A compiled template holds no patient data, and no error in this module repeats a value.
//!
//! **Spaces.** A message is one paragraph: every run of spaces and line breaks becomes one space.
//!
//! **What is never cut.** [`filters`] documents what `shorten` may cut. The text that `{{ … }}` inserts, and the output
//! of the filters `date`, `time`, `spoken` and `name`, is kept whole: its spaces are no-break spaces until the message
//! is finished, and `shorten` breaks at ordinary spaces only.

mod error;
pub mod filters;
mod length;
mod lexer;
mod row;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior, Value};

pub use error::{RenderCause, RenderError, TemplateError};
pub use filters::iso_date;
pub use length::chars;
pub use row::{TemplateCells, TemplateColumns, TemplateRow};

/// The variables that `source` uses, in order of appearance, with their attributes (`practice.name`) and byte ranges.
/// Includes variables that the template sets itself. `source` need not compile.
#[must_use]
pub fn variables(source: &str) -> Vec<(String, Range<usize>)> {
    lexer::variables(&lexer::tokens(source))
}

/// The limit of minijinja instructions for one rendering: a message takes about 50, a loop over a large household a few
/// hundred.
const FUEL: u64 = 20_000;

/// A compiled template. Cloning shares it.
#[derive(Clone)]
pub struct Template(Arc<Compiled>);

struct Compiled {
    name: String,
    source: String,
    environment: Environment<'static>,
}

impl Template {
    /// Compiles `source`. Errors use `name` for the template. Reports every error that can be found without a row:
    /// syntax errors, unknown filters and tests, function calls, and invalid `date` formats.
    pub fn compile(name: &str, source: &str) -> Result<Self, Vec<TemplateError>> {
        let mut environment = environment();
        if let Err(error) = environment.add_template_owned(name.to_owned(), source.to_owned()) {
            return Err(vec![error::syntax_error(source, &error)]);
        }
        let problems = error::unknown_names(source);
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self(Arc::new(Compiled { name: name.to_owned(), source: source.to_owned(), environment })))
    }

    /// The message for one row. `variables` is a [`TemplateRow`], or any other map.
    pub fn render(&self, variables: &Value) -> Result<String, RenderError> {
        let compiled = &*self.0;
        compiled
            .environment
            .get_template(&compiled.name)
            .and_then(|template| template.render(variables))
            .map(|text| one_paragraph(&text))
            .map_err(|error| error::render_error(&compiled.name, &compiled.source, &error, variables))
    }

    /// The variables that a rendering may look up, sorted, with their attributes: `first_name`, `practice.name`.
    /// Excludes variables that the template sets itself.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        let compiled = &*self.0;
        compiled
            .environment
            .get_template(&compiled.name)
            .map(|template| template.undeclared_variables(true).into_iter().collect())
            .unwrap_or_default()
    }

    /// The text that the template was compiled from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.0.source).finish()
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.source == other.0.source
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(filters::insert);
    filters::install(&mut environment);
    environment
}

/// One paragraph: every run of white space, including no-break spaces, becomes one space.
fn one_paragraph(text: &str) -> String {
    let mut paragraph = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(word);
    }
    paragraph
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn render(source: &str, variables: &Value) -> Result<String, RenderError> {
        Template::compile("context", source).expect(source).render(variables)
    }

    #[test]
    fn a_message_is_one_paragraph() {
        let source = "{% if due %}\n  {{ first_name }},\n{% endif %}   you are due. \u{a0} ";
        let text = render(source, &context! { due => "2026-11-01", first_name => "Ana\tMaria " });
        assert_eq!(text.expect("renders"), "Ana Maria , you are due.");
    }

    #[test]
    fn a_missing_column_is_an_error_that_names_it_and_its_line() {
        let row = context! { first_name => "Ana", practice => context! { name => "Bright Smile" } };
        for (source, name, line) in [
            ("Hello {{ frist_name }}", "frist_name", 1),
            ("{{ first_name }}\n{{ practice.nmae | upper }}", "practice.nmae", 2),
            ("{% if last_visit %}seen{% endif %}", "last_visit", 1),
            ("{{ preferred | default(first_name) }} {{ due | date('%B') }}", "due", 1),
            ("{{ appointment.start | time }}", "appointment", 1),
            ("{% for name in household %}{{ name }}{% endfor %}", "household", 1),
        ] {
            let problem = render(source, &row).expect_err(source);
            assert_eq!(problem.cause, RenderCause::Undefined { variable: name.into() }, "{source}");
            assert_eq!(problem.line, line, "{source}");
        }
    }

    #[test]
    fn an_empty_cell_is_an_empty_text() {
        assert_eq!(render("[{{ notes }}]", &context! { notes => "" }).expect("renders"), "[]");
    }

    #[test]
    fn only_text_and_numbers_can_be_inserted() {
        let row =
            context! { household => vec!["Ana"], practice => context! { name => "x" }, nothing => Value::from(()) };
        for source in ["{{ household }}", "{{ practice }}", "{{ nothing }}"] {
            assert_eq!(render(source, &row).expect_err(source).cause, RenderCause::NotText, "{source}");
        }
        assert_eq!(render("{{ household[0] }} {{ 2 + 1 }}", &row).expect("renders"), "Ana 3");
    }

    #[test]
    fn a_template_cannot_run_for_long() {
        let row = context! { cells => vec!["x"; 200] };
        let nested =
            "{% for a in cells %}{% for b in cells %}{% for c in cells %}x{% endfor %}{% endfor %}{% endfor %}";
        for source in [nested, "{{ 'x' * 100000000 }}"] {
            assert_eq!(render(source, &row).expect_err(source).cause, RenderCause::TooLong, "{source}");
        }
    }

    #[test]
    fn markup_in_a_cell_is_text() {
        let row = context! { first_name => "{{ last_name }} <O'Brien>" };
        assert_eq!(render("{{ first_name }}", &row).expect("renders"), "{{ last_name }} <O'Brien>");
    }

    #[test]
    fn the_names_of_a_template_exclude_variables_that_it_sets() {
        let source = "{% set called = preferred_name %}{{ called }} {{ practice.name }}{% for m in household %}{{ m }}{% endfor %}";
        let template = Template::compile("context", source).expect("compiles");
        let names: Vec<_> = template.names().into_iter().collect();
        assert_eq!(names, ["household", "practice.name", "preferred_name"]);
    }

    #[test]
    fn no_problem_repeats_a_value() {
        let row = context! { secret => "Xyzzyna", list => vec!["Xyzzyna"] };
        for source in [
            "{{ secret | date('%B') }}",
            "{{ secret | time }}",
            "{{ secret | spoken }}",
            "{{ secret | plural('a', 'b') }}",
            "{{ secret | shorten(secret) }}",
            "{{ secret | int }}",
            "{{ secret + 1 }}",
            "{{ secret.first }}",
            "{{ secret | join(1, 2, 3) }}",
            "{{ list }}",
            "{{ list < 3 and secret / 2 }}",
        ] {
            let problem = render(source, &row).expect_err(source);
            assert!(!format!("{problem} {problem:?}").contains("Xyzzyna"), "{source}");
        }
        let template = Template::compile("context", "{{ secret }}").expect("compiles");
        assert!(!format!("{template:?}").contains("Xyzzyna"));
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(chars("Zoë 👩‍🦰"), 7);
    }
}
