//! Message templates (stub).

/// A compiled template.
#[derive(Debug, Clone)]
pub struct Template;
