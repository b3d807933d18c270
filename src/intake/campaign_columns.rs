//! What the campaign says of a list's columns, under `[list] columns`, `ignore` and `values`: by the columns' names.

use super::error::{ListError, has_no_known_name, looks_like_data};
use super::field::{Field, variable_name};
use super::normal_form::composed;
use crate::campaign::ListRules;
use crate::did_you_mean::nearest;
use crate::visible;

/// The columns that the campaign maps to fields.
pub(super) fn mapped_by_campaign(
    names: &[String],
    columns: &[(String, String)],
) -> Result<Vec<(Field, usize)>, ListError> {
    columns
        .iter()
        .map(|(name, column)| {
            let field = Field::named(name).ok_or_else(|| ListError::UnknownField {
                name: name.clone(),
                nearest: nearest(name, Field::ALL.iter().map(|field| field.name())),
            })?;
            let at = position(names, column).ok_or_else(|| ListError::MappedColumnMissing {
                field: name.clone(),
                column: column.clone(),
                nearest: nearest_column(column, names),
                found: names.to_vec(),
            })?;
            Ok((field, at))
        })
        .collect()
}

/// The column of that name, or of one that makes the same template variable.
pub(super) fn position(names: &[String], column: &str) -> Option<usize> {
    let column = composed(column);
    let exact = names.iter().position(|name| name == column.trim());
    exact.or_else(|| names.iter().position(|name| variable_name(name) == variable_name(&column)))
}

/// The names under `[list] ignore` and `values` that no column has, each in a sentence. Such a name is perhaps misspelt;
/// or it is another list's.
pub(super) fn names_without_column(names: &[String], rules: &ListRules) -> Vec<String> {
    let ignored = rules.ignore.iter().map(|name| ("ignore", name));
    let mut of_values: Vec<&String> = rules.values.iter().map(|(column, ..)| column).collect();
    of_values.dedup();
    let of_values = of_values.into_iter().filter(|name| Field::named(name).is_none()).map(|name| ("values", name));
    let missing = ignored.chain(of_values).filter(|(_, name)| position(names, name).is_none());
    let sentence = |(key, name): (&str, &String)| {
        let nearest = nearest_column(name, names).map(|near| format!(" (did you mean `{}`?)", visible::value(&near)));
        format!(
            "[list] {key} names the column `{}`, which the list does not have{}",
            visible::value(name),
            nearest.unwrap_or_default()
        )
    };
    missing.map(sentence).collect()
}

/// The most similar column; none if the columns' names look like a patient's data.
fn nearest_column(wanted: &str, names: &[String]) -> Option<String> {
    let has_header = !looks_like_data(names) && !has_no_known_name(names);
    nearest(wanted, names.iter().map(String::as_str)).filter(|_| has_header).map(str::to_owned)
}
