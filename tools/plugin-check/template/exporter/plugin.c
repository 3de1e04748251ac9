/* @NAME@.c - one line per gateway: serial number, enrollment identity, category, with tabs between. Make it yours. */
#include <pep/exporter.h>

#include <stdlib.h>

/* What the configuration can say. The server parses and checks it, and fills in what is left out. */
enum { OPT_HEADER };
static const struct pep_option options[] = {
	[OPT_HEADER] = {.key = "header", .fallback = "true", .help = "begin the file with the names of the columns", .type = PEP_BOOL},
	{.key = NULL},
};

/* An instance: what its options say. There may be several. */
struct @SYMBOL@ {
	bool has_header;
};

static pep_status @SYMBOL@_open(const struct pep_host *host, const union pep_value *values, void **ret_exporter, struct pep_error *err)
{
	struct @SYMBOL@ *exporter = malloc(sizeof(*exporter));

	(void)host;
	if (!exporter)
		return pep_fail(err, PEP_NO_MEMORY, 0, "@NAME@: out of memory");
	exporter->has_header = values[OPT_HEADER].flag;
	*ret_exporter = exporter;
	return PEP_OK;
}

static void @SYMBOL@_close(void *exporter)
{
	free(exporter);
}

/* The beginning of a file. A run is what belongs to one file: this format needs nothing but the instance. */
static pep_status @SYMBOL@_begin(void *exporter, struct pep_sink *sink, void **ret_run, struct pep_error *err)
{
	static const char names[] = "serial\tenrollment_id\tcategory\n";
	const struct @SYMBOL@ *self = exporter;

	(void)err;
	*ret_run = exporter;
	return self->has_header ? sink->write(sink, names, sizeof(names) - 1) : PEP_OK;
}

struct line {
	char text[4096];
	size_t size;
};

/* A field and what follows it; false: no room. A text may be absent (NULL), and an old store may hold what would break a line. */
static bool add(struct line *line, const char *text, char end)
{
	for (; text && *text; text++) {
		if (line->size + 1 == sizeof(line->text))
			return false;
		line->text[line->size++] = (unsigned char)*text < ' ' ? ' ' : *text;
	}
	line->text[line->size++] = end;
	return line->size < sizeof(line->text);
}

/* One gateway. `id` and its texts are borrowed for this call; <pep/identity.h> says what each of them is. */
static pep_status @SYMBOL@_record(void *run, struct pep_sink *sink, const struct pep_identity *id, struct pep_error *err)
{
	struct line line;

	(void)run;
	line.size = 0;
	if (!add(&line, id->serial, '\t') || !add(&line, id->enrollment_id, '\t') || !add(&line, id->category, '\n'))
		return pep_fail(err, PEP_LIMIT, 0, "@NAME@: the line of serial %.64s is over %zu bytes", id->serial, sizeof(line.text));
	return sink->write(sink, line.text, line.size); /* what is not PEP_OK is passed up */
}

static const struct pep_exporter_ops ops = {
	.struct_size = sizeof(ops),
	.threads = PEP_THREADS_PARALLEL,
	.media_type = "text/tab-separated-values",
	.suffix = "tsv",
	.record = @SYMBOL@_record,
	.open = @SYMBOL@_open,
	.close = @SYMBOL@_close,
	.begin = @SYMBOL@_begin,
};

static const struct pep_plugin plugin = {
	.struct_size = sizeof(plugin),
	.abi_major = PEP_ABI_MAJOR,
	.abi_minor = PEP_ABI_MINOR,
	.kind = PEP_EXPORTER,
	.option_size = sizeof(struct pep_option),
	.name = "@NAME@",
	.version = "0.1.0",
	.options = options,
	.ops = &ops,
};

const struct pep_plugin *pep_plugin_probe(uint16_t host_major)
{
	return host_major == PEP_ABI_MAJOR ? &plugin : NULL;
}
