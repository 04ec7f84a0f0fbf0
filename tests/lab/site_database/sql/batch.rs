//! A batch of T-SQL as a tree of steps. The parser reads one statement after the other; the blocks around them (TRY,
//! CATCH, BEGIN ... END) and the two things that it does not know (OPTION, column grants) are read here.

use sqlparser::ast::{Expr, Statement};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{IsOptional, Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::SqlError;
use super::catalog::{Grant, Name, key};

/// One thing to do.
#[derive(Debug)]
pub enum Step {
    Statement(Box<Statement>),
    Try {
        body: Vec<Step>,
        catch: Vec<Step>,
    },
    If {
        condition: Box<Expr>,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    Grant(Vec<Grant>),
    /// `CREATE USER name FOR LOGIN name`: in the lab, each login is a user already.
    CreateUser,
}

/// Parses a whole batch, or fails with 102 as SQL Server does, before anything runs.
pub fn parse(sql: &str) -> Result<Vec<Step>, SqlError> {
    let dialect = MsSqlDialect {};
    let tokens = Tokenizer::new(&dialect, sql).tokenize_with_location().map_err(|e| match &e.message {
        m if m.contains("Unterminated string") => {
            SqlError::new(105, 15, "Unclosed quotation mark after the character string.")
        }
        m if m.contains("comment") => SqlError::new(113, 15, "Missing end comment mark '*/'."),
        m => SqlError::syntax(m),
    })?;
    let mut parser = Parser::new(&dialect).with_tokens_with_locations(without_query_hints(tokens));
    let steps = block(&mut parser).map_err(|e| syntax(&e))?;
    match parser.peek_token().token {
        Token::EOF => Ok(steps),
        token => Err(SqlError::syntax(&token.to_string())),
    }
}

fn syntax(error: &ParserError) -> SqlError {
    match error {
        ParserError::ParserError(m) | ParserError::TokenizerError(m) => SqlError::syntax(m),
        ParserError::RecursionLimitExceeded => {
            SqlError::new(191, 15, "Some part of your SQL statement is nested too deeply.")
        }
    }
}

/// The steps up to `END` or the end.
fn block(parser: &mut Parser<'_>) -> Result<Vec<Step>, ParserError> {
    let mut steps = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        if parser.peek_token().token == Token::EOF || parser.peek_keyword(Keyword::END) {
            return Ok(steps);
        }
        steps.extend(step(parser)?);
    }
}

/// One statement, or one block.
fn step(parser: &mut Parser<'_>) -> Result<Vec<Step>, ParserError> {
    if parser.parse_keywords(&[Keyword::BEGIN, Keyword::TRY]) {
        let body = block(parser)?;
        // Nothing, not even a semicolon, may stand between the two blocks.
        parser.expect_keywords(&[Keyword::END, Keyword::TRY, Keyword::BEGIN, Keyword::CATCH])?;
        let catch = block(parser)?;
        parser.expect_keywords(&[Keyword::END, Keyword::CATCH])?;
        return Ok(vec![Step::Try { body, catch }]);
    }
    if parser.peek_keyword(Keyword::BEGIN) && !begins_transaction(parser) {
        parser.expect_keyword(Keyword::BEGIN)?;
        let steps = block(parser)?;
        parser.expect_keyword(Keyword::END)?;
        return Ok(steps);
    }
    if parser.parse_keyword(Keyword::IF) {
        let condition = parser.parse_expr()?;
        let is_block = parser.peek_keyword(Keyword::BEGIN);
        let then = step(parser)?;
        // A semicolon ends a statement, and ends the IF after a block.
        if !is_block && parser.peek_token().token == Token::SemiColon {
            let next = parser.peek_nth_token_ref(1).token.clone();
            if matches!(next, Token::Word(w) if w.keyword == Keyword::ELSE) {
                parser.expect_token(&Token::SemiColon)?;
            }
        }
        let otherwise = if parser.parse_keyword(Keyword::ELSE) { step(parser)? } else { Vec::new() };
        return Ok(vec![Step::If { condition: Box::new(condition), then, otherwise }]);
    }
    if parser.peek_keyword(Keyword::GRANT) {
        return Ok(vec![Step::Grant(grant(parser)?)]);
    }
    if parser.parse_keywords(&[Keyword::CREATE, Keyword::USER]) {
        parser.parse_identifier()?;
        parser.expect_keywords(&[Keyword::FOR, Keyword::LOGIN])?;
        parser.parse_identifier()?;
        return Ok(vec![Step::CreateUser]);
    }
    Ok(vec![Step::Statement(Box::new(parser.parse_statement()?))])
}

fn begins_transaction(parser: &Parser<'_>) -> bool {
    matches!(&parser.peek_nth_token_ref(1).token,
        Token::Word(w) if matches!(w.keyword, Keyword::TRAN | Keyword::TRANSACTION))
}

/// `GRANT SELECT ON [OBJECT::]name [(columns)] TO role[, ...]`.
fn grant(parser: &mut Parser<'_>) -> Result<Vec<Grant>, ParserError> {
    parser.expect_keywords(&[Keyword::GRANT, Keyword::SELECT])?;
    let mut columns = parser.parse_parenthesized_column_list(IsOptional::Optional, false)?;
    parser.expect_keyword(Keyword::ON)?;
    if parser.parse_keyword(Keyword::OBJECT) {
        parser.expect_token(&Token::DoubleColon)?;
    }
    let name = parser.parse_object_name(false)?;
    columns.extend(parser.parse_parenthesized_column_list(IsOptional::Optional, false)?);
    parser.expect_keyword(Keyword::TO)?;
    let roles = parser.parse_comma_separated(Parser::parse_identifier)?;
    let name = Name::of(&name).map_err(|e| ParserError::ParserError(e.message))?;
    let object = key(name.schema.as_deref().unwrap_or("dbo"), &name.object);
    let columns: Vec<String> = columns.into_iter().map(|c| c.value.to_lowercase()).collect();
    let grant = |role: String| Grant { role: role.to_lowercase(), object: object.clone(), columns: columns.clone() };
    Ok(roles.into_iter().map(|r| grant(r.value)).collect())
}

/// Takes `OPTION (...)` out: advice to the optimizer, which changes no result.
fn without_query_hints(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.into_iter().peekable();
    while let Some(token) = rest.next() {
        let is_option =
            matches!(&token.token, Token::Word(w) if w.keyword == Keyword::OPTION && w.quote_style.is_none());
        if !is_option {
            kept.push(token);
            continue;
        }
        let mut held = vec![token];
        while let Some(space) = rest.next_if(|t| matches!(t.token, Token::Whitespace(_))) {
            held.push(space);
        }
        if rest.peek().is_none_or(|t| t.token != Token::LParen) {
            kept.append(&mut held);
            continue;
        }
        let mut depth = 0_usize;
        for token in rest.by_ref() {
            match token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    kept
}
