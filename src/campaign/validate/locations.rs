//! The rules between `[[line]]` tables.

use super::super::diagnostics::Diagnostic;
use super::super::file::LocationTable;
use super::super::locations::{location_key, variable_suffix};
use super::super::spanned_reader::Spanned;

/// Compares every pair of `[[line]]` tables and adds the problems to `problems`.
pub(in super::super) fn check(tables: Option<&Spanned<Vec<Spanned<LocationTable>>>>, problems: &mut Vec<Diagnostic>) {
    let tables: Vec<&LocationTable> =
        tables.into_iter().flat_map(|tables| &tables.value).map(|Spanned { value, .. }| value).collect();
    for (at, table) in tables.iter().enumerate() {
        for earlier in &tables[..at] {
            problems.extend(repeated_location(earlier, table));
            problems.extend(conflicting_organisations(earlier, table));
        }
    }
}

/// A location has one table.
fn repeated_location(earlier: &LocationTable, table: &LocationTable) -> Option<Diagnostic> {
    let (first, second) = (earlier.location.as_ref()?, table.location.as_ref()?);
    (location_key(&first.value) == location_key(&second.value)).then(|| {
        let message = format!("there is another [[line]] for the location `{}`", second.value);
        Diagnostic::new(second.span.clone().unwrap_or_default(), message)
            .help("leave one of them out: a location has one [[line]]")
    })
}

/// Tables of one organisation share its budget and credentials; two organisations must not share the names of their
/// environment variables.
fn conflicting_organisations(earlier: &LocationTable, table: &LocationTable) -> Option<Diagnostic> {
    let name = |table: &LocationTable| table.organisation.as_ref().map(|organisation| organisation.value.clone());
    if name(earlier) != name(table) {
        let (first, second) = (earlier.organisation.as_ref()?, table.organisation.as_ref()?);
        return (variable_suffix(&first.value) == variable_suffix(&second.value)).then(|| {
            let message = format!(
                "the organisations `{}` and `{}` would read the same environment variables",
                first.value, second.value
            );
            Diagnostic::new(second.span.clone().unwrap_or_default(), message)
                .help(format!("rename one: both would be ANNIE_API_KEY_{}", variable_suffix(&second.value)))
        });
    }
    let differences = [
        difference("key_file", earlier.key_file.as_ref(), table.key_file.as_ref()),
        difference("requests_per_minute", earlier.requests_per_minute.as_ref(), table.requests_per_minute.as_ref()),
        difference("open_calls", earlier.open_calls.as_ref(), table.open_calls.as_ref()),
    ];
    differences.into_iter().flatten().next()
}

fn difference<T: PartialEq>(key: &str, first: Option<&Spanned<T>>, second: Option<&Spanned<T>>) -> Option<Diagnostic> {
    let (first, second) = (first?, second?);
    (first.value != second.value).then(|| {
        let message = format!("`{key}` differs from an earlier [[line]] of the same organisation");
        Diagnostic::new(second.span.clone().unwrap_or_default(), message).help(
            "the key belongs to the organisation: write it once, or give this [[line]] an organisation of its own",
        )
    })
}
