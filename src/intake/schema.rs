//! The JSON Schema of a list row, generated from the fields.

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::field::Field;

/// The schema of one element of a JSON list. Every field is optional in the schema, because the required fields and
/// their names depend on the campaign.
///
/// # Panics
///
/// Never: every JSON object is a valid schema.
#[must_use]
pub fn row_schema() -> Schema {
    let property = |field: &Field| (field.name().to_owned(), property_of(*field));
    let properties: Map<String, Value> = Field::ALL.iter().map(property).collect();
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "ListRow",
        "description": "One row of a patient list. Columns are found by these names, or by what practice software calls \
                        them; any other column is known to templates under its own name.",
        "type": "object",
        "properties": properties,
        "additionalProperties": true,
    });
    Schema::try_from(schema).expect("an object is a schema")
}

fn property_of(field: Field) -> Value {
    json!({ "description": field.description(), "type": ["string", "number", "boolean", "null"] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_in_the_schema_with_a_description() {
        let schema = row_schema();
        for field in Field::ALL {
            let pointer = format!("/properties/{field}/description");
            let text = schema.pointer(&pointer).and_then(Value::as_str).expect("a description");
            assert!(!text.is_empty() && !text.starts_with(' '), "{field}");
        }
    }
}
