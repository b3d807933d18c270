//! The field of a column whose heading may mean several: its cells decide.

use std::collections::BTreeMap;

use super::column_sample::{CellKind, ColumnSample};
use super::field::{Field, Heading};
use super::list::Header;

/// The field of the column at `at` by its heading, or another one that its cells say it is.
pub(super) fn heading_by_cells(heading: Heading, at: usize, sample: &ColumnSample) -> Heading {
    let Some(kind) = sample.kind(at) else { return heading };
    let as_weak = |field| Heading { field, is_weak: true, ..heading };
    match (heading.field, kind) {
        // `Patient State`: Active, Inactive.
        (Field::State, CellKind::Statuses) => as_weak(Field::Status),
        // `Estado`: TX.
        (Field::Status, CellKind::Regions) => as_weak(Field::State),
        // `Patient`, `Account`: a name next to a number.
        (Field::PatientId, CellKind::FullNames | CellKind::Words) => as_weak(Field::FullName),
        // `Number`, `Contact No`: a chart number; `Contact`: a name.
        (Field::Phone, CellKind::Ids) if heading.is_weak && !sample.has_phone(at) => as_weak(Field::PatientId),
        // `Phone?`: Y.
        (Field::Phone, CellKind::Flags) => as_weak(Field::OkToCall),
        (Field::Phone, CellKind::FullNames) if !sample.has_phone(at) => as_weak(Field::FullName),
        _ => heading,
    }
}

/// Of two columns that could both be the field, the one that is it; `None` if the cells do not decide.
pub(super) fn better_column(field: Field, [first, second]: [usize; 2], sample: &ColumnSample) -> Option<usize> {
    // Of these nothing depends on which it is: only templates use them, each by its own name, too.
    const ANY_WILL_DO: [Field; 6] = [
        Field::Interval,
        Field::Type,
        Field::Language,
        Field::Provider,
        Field::AppointmentTypeId,
        Field::AppointmentDescription,
    ];
    let one_of = |is: &dyn Fn(usize) -> bool| match (is(first), is(second)) {
        (true, false) => Some(first),
        (false, true) => Some(second),
        (true, true) | (false, false) => None,
    };
    let is_kind =
        |kinds: &'static [CellKind]| one_of(&move |at| sample.kind(at).is_some_and(|kind| kinds.contains(&kind)));
    let by_cells = || match () {
        // An account is a family's, a chart a patient's.
        () if field == Field::PatientId => {
            one_of(&|at| sample.is_unique(at)).filter(|at| sample.kind(*at) == Some(CellKind::Ids))
        }
        () if field == Field::AppointmentId => one_of(&|at| sample.is_unique(at)),
        () if field == Field::Household => is_kind(&[CellKind::Ids]),
        () if field == Field::State => is_kind(&[CellKind::Regions]),
        () if field == Field::FullName => is_kind(&[CellKind::FullNames]),
        () if field.is_name() => is_kind(&[CellKind::Words, CellKind::FullNames]),
        () if ANY_WILL_DO.contains(&field) => Some(first),
        () => None,
    };
    one_of(&|at| !sample.is_blank(at)).or_else(|| sample.are_same(first, second).then_some(first)).or_else(by_cells)
}

/// Drops the words that mean an appointment in a reminder only (`Date`, `Time`) if other headings say when it is.
pub(super) fn drop_needless_visits(found: &mut [Option<Heading>]) {
    let says = |found: &[Option<Heading>], field| {
        found.iter().flatten().any(|heading| heading.field == field && !heading.is_of_visit)
    };
    let has_start = says(found, Field::AppointmentStart);
    let has_day = has_start || says(found, Field::NextAppointment);
    for heading in found.iter_mut() {
        let is_needless =
            |it: &Heading| it.is_of_visit && if it.field == Field::NextAppointment { has_day } else { has_start };
        if heading.as_ref().is_some_and(is_needless) {
            *heading = None;
        }
    }
}

/// Leaves one column of each field that has one value, if the cells say which it is.
pub(super) fn drop_worse_columns(headings: &mut [Option<Field>], header: &Header, sample: &ColumnSample) {
    let mut best: BTreeMap<Field, usize> = BTreeMap::new();
    let found = headings.to_vec();
    for (at, field) in found.into_iter().enumerate() {
        let Some(field) = field else { continue };
        let has_one_value = field.phone_rank().is_none() && field.exclusion().is_none();
        if !has_one_value || header.first_of_name(at).is_some() {
            continue;
        }
        let Some(first) = best.get(&field).copied() else {
            best.insert(field, at);
            continue;
        };
        if let Some(better) = better_column(field, [first, at], sample) {
            headings[first + at - better] = None;
            best.insert(field, better);
        }
    }
}

/// A column `Name` of single words is the first name if another one is the last name.
pub(super) fn read_name_as_first(found: &mut [Option<Heading>], sample: &ColumnSample) {
    let has = |field| found.iter().flatten().any(|heading| heading.field == field);
    if !has(Field::LastName) || has(Field::FirstName) {
        return;
    }
    for (at, heading) in found.iter_mut().enumerate() {
        if let Some(heading) = heading.as_mut().filter(|heading| heading.field == Field::FullName)
            && sample.kind(at) == Some(CellKind::Words)
        {
            heading.field = Field::FirstName;
        }
    }
}
