//! Answers without end.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::options::Flood;
use super::wire::packet::kind;
use super::wire::token::{Column, DoneKind, Tokens, done};
use super::wire::value::{SqlType, Value};

/// How many columns a wide row has; SQL Server allows 4096.
const WIDE: usize = 1024;

/// Sends until the client leaves.
pub async fn pour(stream: &mut (impl AsyncWrite + Unpin), what: Flood, packet_size: usize) -> io::Result<()> {
    let column = |name: &str, sql_type| Column { name: name.to_owned(), sql_type };
    let number = || column("fact_sites", SqlType::Int);
    let columns = match what {
        Flood::Rows | Flood::Sets | Flood::Messages | Flood::Noise => {
            vec![number(), column("site_code", SqlType::NVarChar(Some(3)))]
        }
        Flood::WideRows => (0..WIDE).map(|_| column("fact_sites", SqlType::Int)).collect(),
        Flood::Text => vec![column("fact_sites", SqlType::NVarChar(None))],
    };
    let mut head = Tokens::default();
    head.columns(&columns);
    let again = match what {
        Flood::Rows => {
            let mut row = Tokens::default();
            row.row(&columns, &[Value::Integer(1), Value::Text("PS1".to_owned())]).expect("the values fit");
            row.0
        }
        // NBCROW: a bit for each NULL, and nothing else.
        Flood::WideRows => [&[0xd2][..], &[0xff; WIDE / 8]].concat(),
        Flood::Sets => {
            let mut set = Tokens(Vec::new());
            set.done(DoneKind::Statement, done::MORE, Some(0));
            set.columns(&columns);
            set.0
        }
        Flood::Messages => {
            let mut message = Tokens::default();
            message.info(50_000, 0, "nothing to say");
            message.0
        }
        Flood::Noise => b"This is no token stream. \x01\x00\xff".to_vec(),
        Flood::Text => {
            // A row whose one value is of unknown length, and comes in pieces.
            head.0.push(0xd1);
            head.0.extend(0xffff_ffff_ffff_fffe_u64.to_le_bytes());
            [&4000_u32.to_le_bytes()[..], &[b'x', 0].repeat(2000)].concat()
        }
    };
    let mut bytes = head.0;
    loop {
        while bytes.len() < packet_size {
            bytes.extend(&again);
        }
        let body: Vec<u8> = bytes.drain(..packet_size - 8).collect();
        let length = u16::try_from(packet_size).expect("a packet").to_be_bytes();
        stream.write_all(&[kind::RESPONSE, 0, length[0], length[1], 0, 0, 1, 0]).await?;
        stream.write_all(&body).await?;
    }
}
