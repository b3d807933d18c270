//! The file formats that are no list, and what the user can do about each.

use std::fmt;

/// A file format that is not supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnsupportedFormat {
    /// A zip archive with several lists in it, or with none.
    Archive,
    /// A zip archive with a password.
    LockedArchive,
    /// A workbook with a password.
    Locked,
    /// A damaged `.xls`, or one older than Excel 97.
    OldWorkbook,
    /// A binary workbook (`.xlsb`).
    BinaryWorkbook,
    /// gzip in gzip.
    Compressed,
    /// Another kind of compression: 7z, rar, bzip2, xz, zstd.
    OtherArchive,
    /// A decompression bomb.
    Bomb,
    /// A web page, perhaps saved as a workbook.
    Page,
    /// An Excel workbook in XML (Excel 2003).
    XmlWorkbook,
    /// FHIR resources in XML.
    FhirXml,
    /// Other XML.
    Xml,
    /// PDF.
    Pdf,
    /// A document of a word processor.
    Document,
    /// An Apple Numbers, Pages or Keynote document.
    Apple,
    /// Contact cards.
    VCard,
    /// A calendar.
    Calendar,
    /// HL7 version 2 messages.
    Hl7,
    /// Parquet or another columnar format.
    Columnar,
    /// A `SQLite` or Access database.
    Database,
    /// A picture.
    Picture,
    /// Any other file that is not text.
    Binary,
}

impl UnsupportedFormat {
    /// What the user can do.
    pub(super) fn way_out(self) -> &'static str {
        match self {
            Self::Archive => "unpack it, and give the one list",
            Self::LockedArchive => "unpack it first",
            Self::Locked => "save it without the password",
            Self::OldWorkbook | Self::BinaryWorkbook | Self::XmlWorkbook | Self::Page | Self::Apple => {
                "open it in a spreadsheet program, and save it as .xlsx or CSV"
            }
            Self::FhirXml => "export FHIR as JSON",
            Self::VCard => "export the contacts as CSV",
            Self::Compressed
            | Self::OtherArchive
            | Self::Bomb
            | Self::Xml
            | Self::Pdf
            | Self::Document
            | Self::Calendar
            | Self::Hl7
            | Self::Columnar
            | Self::Database
            | Self::Picture
            | Self::Binary => "export it as CSV, .xlsx or JSON",
        }
    }
}

impl fmt::Display for UnsupportedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archive => "a zip archive with several files, or with none that could be a list",
            Self::LockedArchive => "a zip archive with a password",
            Self::Locked => "a workbook with a password",
            Self::OldWorkbook => "an Excel workbook of the old kind (.xls) that is damaged, or older than Excel 97",
            Self::BinaryWorkbook => "a binary Excel workbook (.xlsb)",
            Self::Compressed => "compressed twice",
            Self::OtherArchive => "packed in a way other than zip and gzip",
            Self::Bomb => "compressed, and unpacks to more than any list would",
            Self::Page => "a web page, whatever it is called",
            Self::XmlWorkbook => "an Excel workbook in XML, of Excel 2003",
            Self::FhirXml => "FHIR in XML",
            Self::Xml => "an XML file",
            Self::Pdf => "a PDF document",
            Self::Document => "a text or mail document, such as Word writes it",
            Self::Apple => "a document of Apple Numbers, Pages or Keynote",
            Self::VCard => "a file of contact cards (vCard)",
            Self::Calendar => "a calendar file (iCalendar)",
            Self::Hl7 => "a file of HL7 version 2 messages",
            Self::Columnar => "a Parquet, Arrow, Avro or ORC file",
            Self::Database => "a database (SQLite or Access)",
            Self::Picture => "a picture",
            Self::Binary => "not text, and of no known kind",
        })
    }
}
