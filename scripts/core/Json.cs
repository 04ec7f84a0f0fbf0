// JSON, read and written here: nothing of a framework is needed for it, and what is written has one form only
// (sorted keys, no blanks), over which a hash can be made.
namespace Cmcomply
{
    using System;
    using System.Collections.Generic;
    using System.Globalization;
    using System.Text;

    // A JSON object. Its keys are sorted.
    public sealed class Fields : SortedDictionary<string, object>
    {
        public Fields() : base(StringComparer.Ordinal) { }

        public Fields With(string key, object value)
        {
            this[key] = value;
            return this;
        }

        public Fields Object(string key) { return Get(key) as Fields; }

        public string Text(string key) { return Get(key) as string; }

        public List<object> Items(string key) { return (Get(key) as List<object>) ?? new List<object>(); }

        public int Number(string key)
        {
            object value = Get(key);
            return value is long ? (int)Math.Min((long)value, int.MaxValue) : 0;
        }

        public bool Flag(string key) { return Get(key) is bool && (bool)Get(key); }

        object Get(string key)
        {
            object value;
            return TryGetValue(key, out value) ? value : null;
        }
    }

    // Reads a document: objects, lists, texts, whole numbers, true, false and null.
    internal sealed class JsonReader
    {
        readonly string text;
        int at;

        JsonReader(string text) { this.text = text; }

        public static Fields Read(string text)
        {
            JsonReader reader = new JsonReader(text);
            Fields document = reader.Value(0) as Fields;
            reader.Blanks();
            if (document == null || reader.at != text.Length) throw reader.Wrong();
            return document;
        }

        object Value(int depth)
        {
            if (depth > 32) throw Wrong();
            Blanks();
            switch (Peek())
            {
                case '{': return Object(depth);
                case '[': return List(depth);
                case '"': return Text();
                case 't': return Word("true", true);
                case 'f': return Word("false", false);
                case 'n': return Word("null", null);
                default: return Number();
            }
        }

        Fields Object(int depth)
        {
            Fields all = new Fields();
            at++;
            Blanks();
            while (Peek() != '}')
            {
                if (all.Count > 0) Expect(',');
                Blanks();
                string key = Text();
                Blanks();
                Expect(':');
                all[key] = Value(depth + 1);
                Blanks();
            }
            at++;
            return all;
        }

        List<object> List(int depth)
        {
            List<object> all = new List<object>();
            at++;
            Blanks();
            while (Peek() != ']')
            {
                if (all.Count > 0) Expect(',');
                all.Add(Value(depth + 1));
                Blanks();
            }
            at++;
            return all;
        }

        string Text()
        {
            StringBuilder all = new StringBuilder();
            Expect('"');
            while (Peek() != '"')
            {
                char next = text[at++];
                if (next != '\\') { all.Append(next); continue; }
                char kind = Peek();
                at++;
                switch (kind)
                {
                    case 'b': all.Append('\b'); break;
                    case 'f': all.Append('\f'); break;
                    case 'n': all.Append('\n'); break;
                    case 'r': all.Append('\r'); break;
                    case 't': all.Append('\t'); break;
                    case 'u':
                        if (at + 4 > text.Length) throw Wrong();
                        all.Append((char)int.Parse(text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
                        at += 4;
                        break;
                    default: all.Append(kind); break;
                }
            }
            at++;
            return all.ToString();
        }

        object Number()
        {
            int start = at;
            while (at < text.Length && (char.IsDigit(text[at]) || text[at] == '-')) at++;
            long number;
            if (!long.TryParse(text.Substring(start, at - start), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number)) throw Wrong();
            return number;
        }

        object Word(string word, object value)
        {
            if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0) throw Wrong();
            at += word.Length;
            return value;
        }

        void Expect(char what)
        {
            if (Peek() != what) throw Wrong();
            at++;
        }

        char Peek()
        {
            if (at >= text.Length) throw Wrong();
            return text[at];
        }

        void Blanks()
        {
            while (at < text.Length && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) at++;
        }

        FormatException Wrong() { return new FormatException("no JSON that is understood, at character " + at); }
    }

    // Writes a document, without blanks. With `ascii`, everything else is escaped.
    internal static class JsonWriter
    {
        public static string Write(object value, bool ascii)
        {
            StringBuilder all = new StringBuilder();
            Write(value, ascii, all);
            return all.ToString();
        }

        static void Write(object value, bool ascii, StringBuilder to)
        {
            Fields fields = value as Fields;
            System.Collections.IEnumerable items = value as System.Collections.IEnumerable;
            if (value == null) to.Append("null");
            else if (value is bool) to.Append((bool)value ? "true" : "false");
            else if (value is string) WriteText((string)value, ascii, to);
            else if (fields != null)
            {
                string before = "{";
                foreach (KeyValuePair<string, object> field in fields)
                {
                    to.Append(before);
                    WriteText(field.Key, ascii, to);
                    to.Append(':');
                    Write(field.Value, ascii, to);
                    before = ",";
                }
                to.Append(fields.Count == 0 ? "{}" : "}");
            }
            else if (items != null)
            {
                int count = 0;
                foreach (object item in items)
                {
                    to.Append(count++ == 0 ? "[" : ",");
                    Write(item, ascii, to);
                }
                to.Append(count == 0 ? "[]" : "]");
            }
            else to.Append(Convert.ToInt64(value, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture));
        }

        static void WriteText(string text, bool ascii, StringBuilder to)
        {
            to.Append('"');
            for (int i = 0; i < text.Length; i++)
            {
                char c = text[i];
                switch (c)
                {
                    case '"': to.Append("\\\""); continue;
                    case '\\': to.Append("\\\\"); continue;
                    case '\b': to.Append("\\b"); continue;
                    case '\f': to.Append("\\f"); continue;
                    case '\n': to.Append("\\n"); continue;
                    case '\r': to.Append("\\r"); continue;
                    case '\t': to.Append("\\t"); continue;
                }
                bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
                // Half a character is none.
                if (char.IsSurrogate(c) && !pair) c = '\ufffd';
                Append(c, ascii, to);
                if (pair) Append(text[++i], ascii, to);
            }
            to.Append('"');
        }

        static void Append(char c, bool ascii, StringBuilder to)
        {
            if (c < ' ' || (ascii && c > '~')) to.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
            else to.Append(c);
        }
    }
}
