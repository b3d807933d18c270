//! Message templates (a stand-in with the interface that the intake needs).

use minijinja::{Environment, UndefinedBehavior, Value};

/// The vendor's limit for a text (`annie-api.md`, POST /calls).
pub const MAX_CHARS: usize = 500;

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template(String);

/// Why a text could not be rendered. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template cannot be rendered for this row")]
pub struct RenderProblem;

impl Template {
    /// Keeps the text.
    pub fn stand_in(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text with `vars` filled in.
    pub fn render(&self, vars: &Value) -> Result<String, RenderProblem> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.render_str(&self.0, vars).map_err(|_| RenderProblem)
    }
}

/// Characters, as the vendor counts them.
#[must_use]
pub fn chars(text: &str) -> usize {
    text.chars().count()
}
