//! `[writeback]`: the columns of write-back files in CSV.

use schemars::{Schema, SchemaGenerator};
use toml::de::{DeString, DeValue};

use super::diagnostics::Diagnostic;
use super::spanned_reader::{RawValue, Spanned, SpannedReader};
use super::value::ColumnNames;
use crate::did_you_mean::nearest;

/// What a column of a write-back file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WritebackField {
    /// The practice's own number for the patient.
    PatientId,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Date of birth.
    DateOfBirth,
    /// The number dialled.
    Phone,
    /// When the call was, in the practice's zone.
    CalledAt,
    /// What the call meant, as a machine word.
    Outcome,
    /// The call in one line.
    Note,
    /// The practice's own number for the appointment.
    AppointmentId,
    /// The practice's location.
    Location,
    /// The entry's number in the ledger.
    Entry,
    /// The ordinal of the call among those to its entry.
    Call,
}

impl WritebackField {
    /// Every field, in the order of the columns if the campaign names none.
    pub const ALL: [Self; 12] = [
        Self::PatientId,
        Self::FirstName,
        Self::LastName,
        Self::DateOfBirth,
        Self::Phone,
        Self::CalledAt,
        Self::Outcome,
        Self::Note,
        Self::AppointmentId,
        Self::Location,
        Self::Entry,
        Self::Call,
    ];

    /// Its word in campaign files, and its column's name if the campaign names none.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PatientId => "patient_id",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::DateOfBirth => "date_of_birth",
            Self::Phone => "phone",
            Self::CalledAt => "called_at",
            Self::Outcome => "outcome",
            Self::Note => "note",
            Self::AppointmentId => "appointment_id",
            Self::Location => "location",
            Self::Entry => "entry",
            Self::Call => "call",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// The write-back files of a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Writeback {
    /// The columns of a CSV file with their names, in order.
    pub columns: Vec<(WritebackField, String)>,
}

/// Field → column name, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WritebackColumns(Vec<(WritebackField, String)>);

impl WritebackColumns {
    /// The columns; every field under its own name if the campaign names none.
    pub(super) fn convert(self) -> Writeback {
        let own_names = || WritebackField::ALL.map(|field| (field, field.name().to_owned())).to_vec();
        Writeback { columns: if self.0.is_empty() { own_names() } else { self.0 } }
    }
}

impl RawValue for WritebackColumns {
    fn read(value: &toml::Spanned<DeValue<'_>>, reader: &mut SpannedReader<'_>) -> Option<Self> {
        let mut entries: Vec<_> = reader.table(value)?.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let mut columns = Vec::new();
        for (key, value) in entries {
            let column: Option<Spanned<String>> = reader.setting(key, value);
            match WritebackField::named(key.get_ref()) {
                Some(field) => columns.extend(column.map(|column| (field, column.value))),
                None => reader.problems.push(unknown_field(key)),
            }
        }
        Some(Self(columns))
    }

    fn schema(generator: &mut SchemaGenerator) -> Schema {
        ColumnNames::schema(generator)
    }
}

fn unknown_field(key: &toml::Spanned<DeString<'_>>) -> Diagnostic {
    let names = WritebackField::ALL.map(WritebackField::name);
    let help = match nearest(key.get_ref(), names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the fields are {}", names.join(", ")),
    };
    let message = format!("a write-back file has no field `{}`", key.get_ref());
    Diagnostic { help: Some(help), ..Diagnostic::new(key.span(), message) }
}
