//! Requests after the login: a batch of text, or a call of `sp_executesql`.

use std::io;

use super::value::Value;
use super::{Fields, malformed, utf16};

/// A call by name or number.
pub struct Call {
    /// Lower case, without schema.
    pub procedure: String,
    pub arguments: Vec<Argument>,
}

/// One argument; its name starts with `@` or is empty.
pub struct Argument {
    pub name: String,
    pub value: Value,
}

/// The text of a batch.
pub fn batch(body: &[u8]) -> io::Result<String> {
    let mut fields = Fields(body);
    fields.skip_all_headers()?;
    Ok(utf16(fields.0))
}

/// The first call of an RPC message.
pub fn call(body: &[u8]) -> io::Result<Call> {
    let mut fields = Fields(body);
    fields.skip_all_headers()?;
    let procedure = match fields.u16()? {
        0xffff => match fields.u16()? {
            10 => "sp_executesql".to_owned(),
            number => format!("procedure number {number}"),
        },
        length => {
            let name = fields.text(usize::from(length))?.to_ascii_lowercase();
            name.rsplit('.').next().unwrap_or_default().trim_matches(['[', ']']).to_owned()
        }
    };
    fields.u16()?; // option flags
    let mut arguments = Vec::new();
    while fields.0.first().is_some_and(|b| *b != 0xff && *b != 0x80) {
        let length = usize::from(fields.u8()?);
        let name = fields.text(length)?;
        fields.u8()?; // status flags
        arguments.push(Argument { name, value: value(&mut fields)? });
    }
    Ok(Call { procedure, arguments })
}

fn value(fields: &mut Fields<'_>) -> io::Result<Value> {
    match fields.u8()? {
        0x1f => Ok(Value::Null),
        0x26 | 0x68 => {
            fields.u8()?;
            let length = usize::from(fields.u8()?);
            let mut bytes = [0; 8];
            bytes.get_mut(..length).ok_or_else(|| malformed("integer"))?.copy_from_slice(fields.take(length)?);
            let shift = 64 - 8 * u32::try_from(length).map_err(|_| malformed("integer"))?;
            let signed = if length == 1 { i64::from(bytes[0]) } else { sign_extend(i64::from_le_bytes(bytes), shift) };
            Ok(if length == 0 { Value::Null } else { Value::Integer(signed) })
        }
        0x38 => Ok(Value::Integer(i64::from(i32::from_le_bytes(fields.array()?)))),
        0x7f => Ok(Value::Integer(i64::from_le_bytes(fields.array()?))),
        0x32 | 0x30 => Ok(Value::Integer(i64::from(fields.u8()?))),
        0xe7 => Ok(bytes(fields)?.map_or(Value::Null, |b| Value::Text(utf16(&b)))),
        0xa7 => Ok(bytes(fields)?.map_or(Value::Null, |b| Value::Text(b.into_iter().map(char::from).collect()))),
        other => Err(malformed(&format!("parameter of type {other:#x}"))),
    }
}

fn sign_extend(n: i64, shift: u32) -> i64 {
    n.checked_shl(shift).map_or(0, |n| n >> shift)
}

/// The bytes of a character value, plain or in chunks.
fn bytes(fields: &mut Fields<'_>) -> io::Result<Option<Vec<u8>>> {
    let limit = fields.u16()?;
    fields.take(5)?; // collation
    if limit != 0xffff {
        let length = fields.u16()?;
        return if length == 0xffff { Ok(None) } else { fields.take(usize::from(length)).map(|b| Some(b.to_vec())) };
    }
    if fields.u64()? == u64::MAX {
        return Ok(None);
    }
    let mut all = Vec::new();
    loop {
        let length = fields.u32()? as usize;
        if length == 0 {
            return Ok(Some(all));
        }
        all.extend_from_slice(fields.take(length)?);
    }
}
