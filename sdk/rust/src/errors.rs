//! Errors of the SDK as errors of `std::io`.

use crate::bindings::ingen::sdk::types::Error;
use std::io;

impl From<Error> for io::Error {
    /// ```
    /// use ingen_wasm_sdk::Error;
    /// use std::io;
    ///
    /// let error = io::Error::from(Error::Denied("a VM of another VPC".into()));
    /// assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
    /// assert_eq!(error.to_string(), "denied: \"a VM of another VPC\"");
    /// ```
    fn from(error: Error) -> Self {
        let kind = match error {
            Error::Refused => io::ErrorKind::ConnectionRefused,
            Error::Unreachable => io::ErrorKind::HostUnreachable,
            Error::TimedOut => io::ErrorKind::TimedOut,
            Error::Reset => io::ErrorKind::ConnectionReset,
            Error::InUse => io::ErrorKind::AddrInUse,
            Error::Denied(_) => io::ErrorKind::PermissionDenied,
            Error::NotFound => io::ErrorKind::NotFound,
            Error::Invalid(_) => io::ErrorKind::InvalidInput,
            Error::WouldBlock => io::ErrorKind::WouldBlock,
            Error::Closed => io::ErrorKind::BrokenPipe,
            Error::Other(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// The error of the SDK that an error of `std::io` was made of, if it was.
///
/// ```
/// use ingen_wasm_sdk::{cause, Error};
/// use std::io;
///
/// assert_eq!(cause(&io::Error::from(Error::Reset)), Some(&Error::Reset));
/// assert_eq!(cause(&io::Error::other("something else")), None);
/// ```
pub fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}
