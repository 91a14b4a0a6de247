// The floor of `make bench-compressed`: a library decompresses a file, and nothing is done with what comes out.
#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT = 1 << 18, OUTPUT = 1 << 20 };
static char input[INPUT], output[OUTPUT];

static unsigned long long with_gzip(FILE *file) {
  z_stream stream = {0};
  unsigned long long total = 0;
  if (inflateInit2(&stream, 31) != Z_OK) exit(1);
  while ((stream.avail_in = fread(input, 1, INPUT, file)) > 0) {
    stream.next_in = (Bytef *)input;
    do {
      stream.next_out = (Bytef *)output;
      stream.avail_out = OUTPUT;
      int status = inflate(&stream, Z_NO_FLUSH);
      if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) exit(1);
      total += OUTPUT - stream.avail_out;
      if (status == Z_STREAM_END) inflateReset(&stream);
    } while (stream.avail_in > 0 || stream.avail_out == 0);
  }
  return total;
}

static unsigned long long with_zstd(FILE *file) {
  ZSTD_DStream *stream = ZSTD_createDStream();
  unsigned long long total = 0;
  size_t count;
  while ((count = fread(input, 1, INPUT, file)) > 0) {
    ZSTD_inBuffer in = {input, count, 0};
    while (in.pos < in.size) {
      ZSTD_outBuffer out = {output, OUTPUT, 0};
      if (ZSTD_isError(ZSTD_decompressStream(stream, &out, &in))) exit(1);
      total += out.pos;
    }
  }
  return total;
}

static unsigned long long with_lz4(FILE *file) {
  LZ4F_dctx *context;
  unsigned long long total = 0;
  size_t count;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) exit(1);
  while ((count = fread(input, 1, INPUT, file)) > 0) {
    size_t done = 0;
    while (done < count) {
      size_t taken = count - done, given = OUTPUT;
      if (LZ4F_isError(LZ4F_decompress(context, output, &given, input + done, &taken, NULL))) exit(1);
      done += taken;
      total += given;
    }
  }
  return total;
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
  if (!file) return fprintf(stderr, "bare-decompress gzip|zstd|lz4 FILE\n"), 2;
  unsigned long long total = !strcmp(argv[1], "gzip") ? with_gzip(file) : !strcmp(argv[1], "zstd") ? with_zstd(file) : with_lz4(file);
  printf("%llu octets\n", total);
  return 0;
}
