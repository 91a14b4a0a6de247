// The floor of `make bench`: libpcap reads every packet of a savefile, and nothing is done with it.
#include <pcap/pcap.h>
#include <stdio.h>

static void count(u_char *total, const struct pcap_pkthdr *header, const u_char *bytes) {
  (void)bytes;
  ((unsigned long long *)total)[0] += 1;
  ((unsigned long long *)total)[1] += header->len;
}

int main(int argc, char **argv) {
  char message[PCAP_ERRBUF_SIZE];
  if (argc != 2) return 2;
  pcap_t *capture = pcap_open_offline(argv[1], message);
  if (!capture) return fprintf(stderr, "%s\n", message), 1;
  unsigned long long total[2] = {0, 0};
  pcap_loop(capture, -1, count, (u_char *)total);
  printf("%llu packets, %llu octets\n", total[0], total[1]);
  pcap_close(capture);
  return 0;
}
