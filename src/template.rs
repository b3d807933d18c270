//! Message templates (a stand-in with the interface that the intake needs).

use std::sync::Arc;

use minijinja::{Environment, UndefinedBehavior, Value};

/// The vendor's limit for a text (`annie-api.md`, POST /calls).
pub const MAX_CHARS: usize = 500;

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template(Arc<Environment<'static>>);

/// Why a text could not be rendered. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template cannot be rendered for this row")]
pub struct RenderProblem;

impl Template {
    /// Compiles the text.
    ///
    /// # Panics
    ///
    /// On a text that is no template.
    pub fn stand_in(text: &str) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_template_owned("text", text.to_owned()).expect("a template");
        Self(Arc::new(environment))
    }

    /// The text with `vars` filled in.
    pub fn render(&self, vars: &Value) -> Result<String, RenderProblem> {
        self.0.get_template("text").and_then(|template| template.render(vars)).map_err(|_| RenderProblem)
    }
}

/// Characters, as the vendor counts them.
#[must_use]
pub fn chars(text: &str) -> usize {
    text.chars().count()
}
