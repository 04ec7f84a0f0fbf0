//! Documents that carry their hash: without the right one nobody reads further.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The octets with the right hash, if they are a JSON object.
pub fn sealed(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut document: Value = serde_json::from_slice(bytes).ok()?;
    document.as_object_mut()?.remove("sha256");
    document.sort_all_objects();
    let hash = Sha256::digest(document.to_string());
    document["sha256"] = cmcomply::text::hexadecimal(&hash).into();
    Some(document.to_string().into_bytes())
}
