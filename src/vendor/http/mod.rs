//! What every vendor over HTTP needs, whatever its API: nothing here knows a vendor.
//!
//! | module | holds |
//! |---|---|
//! | [`address`], [`transport`] | addresses that are safe to send to; one request, sent at most once |
//! | [`key_file`] | a key from a file that only its owner can read |
//! | `lossy_json`, `lenient` | JSON as some servers write it, and readers of fields that accept several forms |
//! | [`quote`] | the vendor's message, made safe to show |

pub mod address;
mod json_extremes;
pub mod key_file;
pub(super) mod lenient;
pub(super) mod lossy_json;
pub mod quote;
pub mod transport;
